# Stands in for what Windows has on the servers of a practice farm: never the real services and certificates of this
# machine. All servers are this machine; which one a script is for, `on` of its step says.

. (Join-Path $PSScriptRoot 'state.ps1')
. (Join-Path $PSScriptRoot 'services.ps1')
. (Join-Path $PSScriptRoot 'certificates.ps1')
