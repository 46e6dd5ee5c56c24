"""The public shapes of what is drawn: lines, zones, and areas with their doors."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from rest_framework import serializers

from identity.serializers import SentFieldsOnly
from occupancy.areas import BadDoors, Door, check_doors, save_area
from occupancy.capacity import Fullness
from occupancy.models import Area, AreaLine, CountingLine, Zone
from occupancy.models.zones import check_points
from streaming.models import Camera, Site
from streaming.rest import CheckedSerializer, VisibleKey


class StaysAtCamera(serializers.ModelSerializer[Any]):
    """Of what is drawn on one camera's picture, and means nothing on another's."""

    def validate_camera(self, camera: Camera) -> Camera:
        if self.instance is not None and self.instance.camera_id != camera.pk:
            sentence = "It stays at its camera. Draw a new one on the other."
            raise serializers.ValidationError(sentence)
        return camera


class CountingLineSerializer(StaysAtCamera, CheckedSerializer[CountingLine]):
    camera = VisibleKey(queryset=Camera.objects.all())

    class Meta:
        model = CountingLine
        fields = [
            "id",
            "camera",
            "name",
            "x1",
            "y1",
            "x2",
            "y2",
            "colour",
            "enabled",
        ]


class ZoneSerializer(SentFieldsOnly[Zone], StaysAtCamera, CheckedSerializer[Zone]):
    camera = VisibleKey(queryset=Camera.objects.all())
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        validators=[check_points],
        help_text="Three or more corners [x, y], each 0..1 of the picture.",
    )

    state = serializers.ChoiceField(
        choices=[each.value for each in Fullness],
        read_only=True,
        help_text="How full it is by that count: amber from `amber_percent` of the "
        "capacity on, red above it.",
    )

    class Meta:
        model = Zone
        fields = [
            "id",
            "camera",
            "name",
            "points",
            "colour",
            "enabled",
            "capacity",
            "amber_percent",
            "restricted",
            "restricted_from",
            "restricted_until",
            "loitering_seconds",
            "live_count",
            "counted_at",
            "state",
        ]
        read_only_fields = ["live_count", "counted_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        times = ("restricted_from", "restricted_until")
        given = {
            name: attrs.get(name, getattr(self.instance, name, None)) for name in times
        }
        try:
            Zone(**given).clean()
        except ModelValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        return super().validate(attrs)


class DoorSerializer(serializers.ModelSerializer[AreaLine]):
    """A line at a door of an area."""

    line = VisibleKey(
        queryset=CountingLine.objects.select_related("camera"),
        error_messages={"does_not_exist": "There is no such line."},
    )
    line_name = serializers.CharField(source="line.name", read_only=True)

    class Meta:
        model = AreaLine
        fields = ["line", "line_name", "inverted"]


class AreaSerializer(CheckedSerializer[Area]):
    """A hall or a site with its doors; of rows with these and their lines."""

    site = VisibleKey(queryset=Site.objects.all())
    doors = DoorSerializer(many=True, required=False)

    class Meta:
        model = Area
        fields = [
            "id",
            "site",
            "name",
            "capacity",
            "amber_percent",
            "enabled",
            "doors",
            "current_count",
            "drift",
        ]
        read_only_fields = ["current_count", "drift"]
        extra_kwargs = {
            "drift": {
                "help_text": "How many left since the last correction whose entry "
                "nobody saw."
            }
        }

    def validate_site(self, site: Site) -> Site:
        if self.instance is not None and self.instance.site_id != site.pk:
            raise serializers.ValidationError("An area stays at its site.")
        return site

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = dict(attrs)
        doors = attrs.pop("doors", None)
        attrs = super().validate(attrs)
        if doors is None:
            return attrs
        attrs["doors"] = [Door(**each) for each in doors]
        site = attrs["site"] if self.instance is None else self.instance.site
        try:
            check_doors(site=site, doors=attrs["doors"])
        except BadDoors as error:
            raise serializers.ValidationError({"doors": [str(error)]}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Area:
        doors = validated_data.pop("doors", [])
        return save_area(area=Area(**validated_data), doors=doors)

    def update(self, instance: Area, validated_data: dict[str, Any]) -> Area:
        doors = validated_data.pop("doors", None)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return save_area(area=instance, fields=validated_data, doors=doors)
