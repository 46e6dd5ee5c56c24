"""The shapes of questions and answers that are no rows."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from identity.api.shapes import VisibleCode
from streaming.models import Camera, Site
from streaming.rest import VisibleKey
from vehicles.models import Gate, GateCamera, VehicleLog
from vehicles.rules import Reason, Status
from vehicles.serializers import KnownVehicleSerializer, PlateField

READ_MAX: Final = 20
"""Characters of what a reader may say; a visit keeps no more."""
STATUSES = [each.value for each in Status]
REASONS = [each.value for each in Reason]


class WhySerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(
        max_length=1000,
        error_messages={
            "required": "Say why.",
            "blank": "Say why.",
            "null": "Say why.",
        },
    )


class BlockPlateSerializer(WhySerializer):
    """Which plate is kept out, where and why."""

    site = VisibleKey(
        queryset=Site.objects.all(),
        error_messages={"does_not_exist": "There is no such site."},
    )
    plate_number = PlateField()


class NamePlateSerializer(serializers.Serializer[Any]):
    plate = PlateField(help_text="Which plate it was.")


class OpenGateSerializer(WhySerializer):
    """Why a gate is opened, and for which visit, if for one."""

    log = VisibleKey(
        queryset=VehicleLog.objects.all(),
        required=False,
        allow_null=True,
        default=None,
        error_messages={"does_not_exist": "There is no such visit."},
    )


class ConfidenceField(serializers.FloatField):
    """How sure a reader is, 0..1."""

    default_error_messages = dict.fromkeys(
        ("invalid", "max_value", "min_value", "overflow"),
        "A confidence is a number from 0 to 1.",
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(min_value=0, max_value=1, **values)

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class ValidatePlateSerializer(serializers.Serializer[Any]):
    """What was read, how surely, and where."""

    plate = PlateField(most=READ_MAX)
    confidence = ConfidenceField(
        required=False, help_text="Of every character; or else `confidences`."
    )
    confidences = serializers.ListField(
        child=ConfidenceField(),
        required=False,
        max_length=READ_MAX,
        help_text="One for each letter and digit of the plate.",
    )
    gate = VisibleKey(
        queryset=Gate.objects.defer("address"),
        required=False,
        error_messages={"does_not_exist": "There is no such gate."},
    )
    camera = VisibleCode(
        "code",
        queryset=Camera.objects.all(),
        required=False,
        help_text="Code of one that is at a gate.",
    )
    site = VisibleKey(
        queryset=Site.objects.all(),
        required=False,
        error_messages={"does_not_exist": "There is no such site."},
        help_text="Where no gate is named: as at a gate with the usual settings.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Settle the confidence of each character, the gate, and the site."""
        confidences = _confidences(attrs)
        if sum(name in attrs for name in ("gate", "camera", "site")) > 1:
            raise serializers.ValidationError(
                {"gate": "Name a gate, a camera or a site: one of them."}
            )
        gate = _gate_of(attrs["camera"]) if "camera" in attrs else attrs.get("gate")
        site_id = gate.site_id if gate else self._site_id(attrs.get("site"))
        return {
            "text": attrs["plate"],
            "confidences": confidences,
            "gate": gate,
            "site_id": site_id,
        }

    def _site_id(self, site: Site | None) -> int:
        """Return that of the site, or of the only one that the user has."""
        if site is not None:
            return site.pk
        seen = Site.objects.visible_to(self.context["request"].user)
        ids = list(seen.order_by("pk").values_list("pk", flat=True)[:2])
        if len(ids) != 1:
            raise serializers.ValidationError(
                {"site": "Name the gate, a camera or the site."}
            )
        return ids[0]


def _confidences(attrs: dict[str, Any]) -> list[float]:
    length = len(attrs["plate"])
    if ("confidence" in attrs) == ("confidences" in attrs):
        raise serializers.ValidationError(
            {"confidence": "Give `confidence` for all characters, or `confidences`."}
        )
    if "confidence" in attrs:
        return [attrs["confidence"]] * length
    given: list[float] = attrs["confidences"]
    if len(given) != length:
        raise serializers.ValidationError(
            {
                "confidences": f"{attrs['plate']} has {length} letters and digits, so "
                f"give {length} confidences, not {len(given)}."
            }
        )
    return given


def _gate_of(camera: Camera) -> Gate:
    rows = GateCamera.objects.select_related("gate").defer("gate__address")
    found = rows.filter(camera=camera).first()
    if found is None:
        raise serializers.ValidationError(
            {"camera": f"{camera.code} is at no gate. Name the site."}
        )
    return found.gate


class CheckedPlateSerializer(serializers.Serializer[Any]):
    """What the gate makes of a plate."""

    plate = serializers.CharField(help_text="As the formats have it.")
    format = serializers.CharField(
        allow_null=True, help_text="Name of the format that fits; null where none does."
    )
    confidence = serializers.FloatField(help_text="Of the worst character.")
    threshold = serializers.FloatField(help_text="What each character must reach.")
    valid = serializers.BooleanField(
        help_text="Whether it is sure enough to look it up in the register."
    )
    status = serializers.ChoiceField(source="decision.status", choices=STATUSES)
    reason = serializers.ChoiceField(source="decision.reason", choices=REASONS)
    opens = serializers.BooleanField(help_text="Whether the gate opens by itself.")
    vehicle = KnownVehicleSerializer(
        allow_null=True, help_text="The registered one of exactly this plate."
    )
    possible_match = serializers.CharField(
        allow_null=True,
        help_text="Plate of a blocked vehicle that it may be, misread.",
    )
    detail = serializers.CharField(help_text="The decision in sentences.")


class RejectedSerializer(serializers.Serializer[Any]):
    low_confidence = serializers.IntegerField()
    bad_format = serializers.IntegerField()
    no_consensus = serializers.IntegerField()
    no_plate = serializers.IntegerField()


class GateCountsSerializer(serializers.Serializer[Any]):
    reads = serializers.IntegerField(help_text="Visits; each vehicle is read once.")
    accepted = serializers.IntegerField(help_text="The plate was sure.")
    rejected = serializers.IntegerField(help_text="It was not.")
    named = serializers.IntegerField(
        help_text="A person said later which plate it was; part of neither."
    )
    accepted_rate = serializers.FloatField(
        allow_null=True, help_text="Share of the reads, 0..1; null of none."
    )
    authorized = serializers.IntegerField(help_text="Of the accepted.")
    blocked = serializers.IntegerField(help_text="Of the accepted.")
    unknown = serializers.IntegerField(help_text="Of the accepted.")
    opened = serializers.IntegerField(
        help_text="For which the gate was to open by itself."
    )
    rejected_by_reason = RejectedSerializer()


class CameraDaySerializer(GateCountsSerializer):
    camera = serializers.IntegerField()
    camera_code = serializers.CharField()
    date = serializers.DateField(help_text="A day of the site.")


class GateStatisticsSerializer(GateCountsSerializer):
    days = CameraDaySerializer(
        many=True,
        help_text="Per camera and day on which something was read, the first day "
        "first.",
    )
