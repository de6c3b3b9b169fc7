"""Trainings for keeps."""

from django.db import models

from webapp.searches.models.people import ImportedArchitecture
from webapp.searches.models.searches import Child
from webapp.searches.models.streams import SHA256_LENGTH, Stream


class Training(Stream):
    """One architecture trained for keeps. `config` is any of config.trainings as JSON and never changes.

    It came from a child, an imported architecture, the catalogue (`published`, its name there), or with the request.
    A finished one has both accuracies or, on text, both perplexities.
    """

    stream = models.OneToOneField(
        Stream, parent_link=True, primary_key=True, on_delete=models.CASCADE, related_name="as_training"
    )
    config = models.JSONField()
    child = models.ForeignKey(Child, null=True, on_delete=models.SET_NULL, related_name="trainings")
    imported = models.ForeignKey(ImportedArchitecture, null=True, on_delete=models.SET_NULL, related_name="trainings")
    published = models.CharField(max_length=80, blank=True)
    deleted_origin = models.CharField(max_length=120, blank=True, default="")  # What its child was called.
    for_meter = models.BooleanField(default=False)  # Trained to see what shared scores say (see meter_trainings).
    hash = models.CharField(max_length=SHA256_LENGTH)
    parameters = models.BigIntegerField()
    mult_adds = models.BigIntegerField()
    checkpoint = models.CharField(max_length=SHA256_LENGTH, blank=True)  # The weights, once finished.
    test_accuracy = models.FloatField(null=True)
    test_examples = models.PositiveIntegerField(null=True)  # Images, or tokens that were guessed.
    held_out_accuracy = models.FloatField(null=True)
    test_perplexity = models.FloatField(null=True)
    held_out_perplexity = models.FloatField(null=True)
    seconds = models.FloatField(null=True)
