"""The pages: what they show and how their forms are described."""
