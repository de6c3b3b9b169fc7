"""A notice as an e-mail: plain text, from the server's own address to the one on its reader's account page."""

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from webapp.notices.models import Delivery
from webapp.notices.webhook import NotDelivered


def is_set_up() -> bool:
    """Whether whoever runs this said how mail is sent."""
    return bool(settings.MAIL_FROM)


def send(delivery: Delivery) -> None:
    """Raises NotDelivered."""
    notice, address = delivery.notice, delivery.target.owner.email
    if not is_set_up():
        raise NotDelivered("This server sends no mail.", for_good=True)
    if not address:
        raise NotDelivered("Your account page has no e-mail address.", for_good=True)
    lines = [notice.title, notice.text, f"{settings.SITE_ADDRESS}{notice.path}", "--", WHY]
    message = EmailMessage(
        subject=" ".join(notice.title.split()),
        body="\n\n".join(line for line in lines if line),
        from_email=settings.MAIL_FROM,
        to=[address],
        # The same at every try: mail programs show a repetition once. Auto-Submitted: nobody's holiday answers it.
        headers={"Message-ID": f"<{delivery.pk}@cellwright>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(fail_silently=False),
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        raise NotDelivered(f"The mail server did not take it: {type(error).__name__}.") from error


WHY = "You get this because you asked for it on the page Notices. There you can change that."
