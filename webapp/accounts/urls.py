"""Addresses of signing in and out."""

from django.urls import path

from webapp.accounts import views

urlpatterns = [
    path("sign-in", views.explain_sign_in, name="explain-sign-in"),
    path("sign-in/<path:token>", views.sign_in, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
]
