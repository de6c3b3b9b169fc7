"""Addresses of signing in and out, of invitations, and of the pages about people."""

from django.urls import path

from webapp.accounts import doors, pages, views

urlpatterns = [
    path("sign-in", views.sign_in_page, name="sign-in-page"),
    path("sign-in/once", doors.way_back_page, name="way-back-page"),
    path("sign-in/once/open", doors.come_back, name="come-back"),
    path("sign-in/<path:token>", views.follow_link, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
    path("invited", doors.invited_page, name="invited-page"),
    path("invited/look", doors.look_at_invitation, name="look-at-invitation"),
    path("invited/accept", doors.accept_invitation, name="accept-invitation"),
    path("account", pages.account_page, name="account-page"),
    path("people", pages.people_page, name="people-page"),
]
