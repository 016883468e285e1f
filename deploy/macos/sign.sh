#!/bin/sh
# Makes a signed and notarised disk image. Runs on a Mac only, with a certificate in the keychain.
#
#   DOORWARD_IDENTITY="Developer ID Application: NAME (TEAM)" DOORWARD_NOTARY_PROFILE=NAME sh deploy/macos/sign.sh target/ship/doorward-VERSION-TRIPLE
set -eu
tree=${1:?"which folder of target/ship?"}
: "${DOORWARD_IDENTITY:?"the certificate to sign with"}" "${DOORWARD_NOTARY_PROFILE:?"the profile that notarytool keeps in the keychain"}"
[ "$(uname -s)" = Darwin ] || { echo "this needs a Mac: codesign, hdiutil and notarytool are Apple's" >&2; exit 2; }
codesign --force --timestamp --options runtime --sign "$DOORWARD_IDENTITY" "$tree/doorward"
image="$tree.dmg"
hdiutil create -volname Doorward -srcfolder "$tree" -ov -format UDZO "$image"
codesign --force --timestamp --sign "$DOORWARD_IDENTITY" "$image"
xcrun notarytool submit "$image" --keychain-profile "$DOORWARD_NOTARY_PROFILE" --wait
xcrun stapler staple "$image"
echo "$image"
