#!/usr/bin/env bash
# Installs Chromium and a font, which test.py needs.
set -euo pipefail

NO_RECOMMENDS=1 "$(dirname "$0")/../../Scripts/install.sh" page chromium fonts-liberation
