"""What a person must look at, the rules that say so, and where it is sent."""

from .channels import AlertChannel, new_secret
from .inbox import Alert, AlertQuerySet
from .kinds import Kind, OfSiteOrWhole, Severity
from .log import AlertDelivery
from .watching import AlertRule, check_days

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertDelivery",
    "AlertQuerySet",
    "AlertRule",
    "Kind",
    "OfSiteOrWhole",
    "Severity",
    "check_days",
    "new_secret",
]
