# Stands in for SharePoint Server's cmdlets, so that procedures can be practised without a farm. It was made by
# `runbook practice`; its farm is the file `farm.json` two folders above, and it touches nothing outside that folder
# but the endpoints that `runbook practice` serves on this machine.
#
# Names, parameters, errors and effects follow Microsoft's reference and other public sources. Where these do not say
# what a real farm does, a warning that begins with `practice:` says so.

. (Join-Path $PSScriptRoot 'state.ps1')
. (Join-Path $PSScriptRoot 'objects.ps1')
. (Join-Path $PSScriptRoot 'farm.ps1')
. (Join-Path $PSScriptRoot 'trust.ps1')
. (Join-Path $PSScriptRoot 'proxies.ps1')

# What Windows has on a SharePoint server is there as soon as SharePoint's cmdlets are: the drive `Cert:` among it.
Import-Module (Join-Path $script:Folder 'modules/PracticeServer') -Global -DisableNameChecking
