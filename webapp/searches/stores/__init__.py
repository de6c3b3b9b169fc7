"""Where artifacts lie: a folder, or a bucket of S3 with a cache of each host before it."""
