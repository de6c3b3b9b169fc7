"""Start a search, wait, train the best network for keeps, and download its bundle."""

from webapp.client.cellwright import Cellwright

site = Cellwright()  # Where, and as whom: CELLWRIGHT_URL and CELLWRIGHT_TOKEN.
config = site.searches.preset("demo")
config["budget"]["children"] = 10  # Of 140.
config["data"]["train_examples"] = 500
search = site.searches.start(config, key="my first search").wait(progress=print)
settings = site.trainings.defaults(search.best())
settings["data"]["train_examples"] = 2000
training = site.trainings.start(search.best(), settings, epochs=1).wait(progress=print)
print(training.save_bundle("bundle.zip"))
