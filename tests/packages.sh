#!/bin/sh
# Debian packages that some tests need. Installed when run as root on Debian, otherwise
# named; the tests that need them are then skipped, each with its reason.
set -eu
packages="chromium chromium-driver gir1.2-gst-rtsp-server-1.0 python3-gi \
gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad mosquitto"
missing=""
for package in $packages; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null |
    grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get -qq update
  # shellcheck disable=SC2086 - one word each
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes \
    --no-install-recommends $missing >/dev/null
else
  echo "NOT INSTALLED, their tests will be skipped:$missing" >&2
fi
