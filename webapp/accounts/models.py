"""Users, and the tokens with which their programs call the API."""

import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone


class Users(BaseUserManager):
    """Finds users by name, as Django's sign-in asks; adds nothing."""


class User(AbstractBaseUser):
    """A person. Signs in by a link, so the inherited password stays unusable until somebody wants one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(default=timezone.now)

    objects = Users()
    USERNAME_FIELD = "name"


class ApiToken(models.Model):
    """A bearer token of the API; only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)
    last_used = models.DateTimeField(null=True)
