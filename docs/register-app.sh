#!/usr/bin/env bash
# Registers Gatehouse in your tenant: the application, its two app roles, its permissions (docs/permissions.tsv), a
# secret, and admin consent. Needs the Azure CLI, signed in (az login --allow-no-subscriptions) as somebody who may
# register applications and grant consent, and jq.
#
#   docs/register-app.sh https://gatehouse.example.com [--without-optional]
#
# Permissions whose reason begins with "Optional" are left out when so told.
# It prints the settings for the file .env. Run again it updates the same registration (found by its identifier tag) and
# makes no other secret or keys: those of the .env stay, or the portal could not read its own database any more.
set -euo pipefail
public_url=${1:?"the https address that people will open, such as https://gatehouse.example.com"}
public_url=${public_url%/}
case ${2:-} in '') optional=true ;; --without-optional) optional=false ;; *) echo "unknown option $2" >&2; exit 2 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
graph=00000003-0000-0000-c000-000000000000
name=Gatehouse

access=$(tail -n +2 "$here/permissions.tsv" | jq -R -s --arg graph "$graph" --argjson optional "$optional" '
  [split("\n")[] | select(length > 0) | split("\t") | select($optional or (.[3] | startswith("Optional") | not)) | { id: .[2], type: (if .[0] == "application" then "Role" else "Scope" end) }]
  | [{ resourceAppId: $graph, resourceAccess: . }]')
roles=$(jq -n '[
  { id: "6f0f5c7e-3a43-4d0c-9b55-0c7c5a0b8a11", value: "SetupAdmin", displayName: "Setup admin", description: "Secures applications", allowedMemberTypes: ["User"], isEnabled: true },
  { id: "b7d3f2f4-51c1-4f2a-8c0e-2f8b8d4f6e22", value: "Auditor", displayName: "Auditor", description: "Reads the whole history", allowedMemberTypes: ["User"], isEnabled: true }]')
body=$(jq -n --arg name "$name" --arg url "$public_url" --argjson access "$access" --argjson roles "$roles" '{
  displayName: $name, signInAudience: "AzureADMyOrg", tags: ["gatehouse-portal"], appRoles: $roles, requiredResourceAccess: $access,
  optionalClaims: { idToken: [{ name: "auth_time", essential: true }] },
  web: { redirectUris: [$url + "/auth/redirect", $url + "/"], implicitGrantSettings: { enableIdTokenIssuance: false, enableAccessTokenIssuance: false } } }')

api=https://graph.microsoft.com/v1.0
found=$(az rest --method GET --url "$api/applications?\$filter=tags/any(t:t eq 'gatehouse-portal')&\$select=id,appId,passwordCredentials,keyCredentials" --query 'value[0]' -o json)
if [ "$found" = null ] || [ -z "$found" ]; then
  found=$(az rest --method POST --url "$api/applications" --headers Content-Type=application/json --body "$body")
else
  az rest --method PATCH --url "$api/applications/$(jq -r .id <<<"$found")" --headers Content-Type=application/json --body "$body"
fi
object_id=$(jq -r .id <<<"$found")
client_id=$(jq -r .appId <<<"$found")

az ad sp show --id "$client_id" >/dev/null 2>&1 || az ad sp create --id "$client_id" >/dev/null
az ad app permission admin-consent --id "$client_id"
tenant_id=$(az account show --query tenantId -o tsv)

# One that has no credential yet was made just now, or by a run that did not get to its end.
if [ "$(jq '[.passwordCredentials[]?, .keyCredentials[]?] | length' <<<"$found")" != 0 ]; then
  echo "The registration $client_id is up to date. Keep your .env as it is: its keys open what the portal has stored. PUBLIC_URL in it is $public_url. A secret that was lost or ends soon is made anew in Entra, under Certificates & secrets." >&2
  exit 0
fi
secret=$(az rest --method POST --url "$api/applications/$object_id/addPassword" --headers Content-Type=application/json \
  --body '{"passwordCredential":{"displayName":"gatehouse"}}' --query secretText -o tsv)

cat <<EOF
PUBLIC_URL=$public_url
ENTRA_TENANT_ID=$tenant_id
ENTRA_CLIENT_ID=$client_id
ENTRA_CLIENT_SECRET=$secret
SESSION_KEYS=$(openssl rand -base64 32)
TOKEN_KEYS=$(openssl rand -base64 32)
LEDGER_KEY=$(openssl rand -base64 32)
POSTGRES_PASSWORD=$(openssl rand -hex 24)
EOF
