# Service applications, their proxies, and the group of proxies that web applications use.

function ConvertTo-Proxy($Proxy) {
    $fields = @{ Id = $Proxy.id; DisplayName = $Proxy.name; Name = $Proxy.name; TypeName = $Proxy.type }
    if ($null -eq $Proxy.endpoint) { return [SPServiceApplicationProxy] $fields }
    $acs = $script:AcsProxyType::new()
    foreach ($name in $fields.Keys) { $acs.$name = $fields[$name] }
    $acs.MetadataEndpointUri = $Proxy.endpoint
    return $acs
}

function Find-Proxy($Farm, $Identity) {
    $id = if ($Identity -is [SPServiceApplicationProxy]) { $Identity.Id } else { "$Identity" }
    $Farm.proxies | Where-Object { $_.id -eq $id -or $_.name -eq $id }
}

function Get-SPServiceApplicationProxy {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] $Identity, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $farm = Read-Farm
        if (-not $Identity) { return $farm.proxies | ForEach-Object { ConvertTo-Proxy $_ } }
        $found = Find-Proxy $farm $Identity
        if ($found) { return $found | ForEach-Object { ConvertTo-Proxy $_ } }
        Write-Failure $PSCmdlet "Cannot find an SPServiceApplicationProxy object with Id or Name: $Identity." `
            'Microsoft.SharePoint.PowerShell.SPCmdletGetServiceApplicationProxy' 'ObjectNotFound'
    }
}

function New-SPAzureAccessControlServiceApplicationProxy {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [uri] $MetadataServiceEndpointUri,
        [switch] $DefaultProxyGroup,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    $id = 'Microsoft.SharePoint.PowerShell.SPCmdletNewAzureAccessControlServiceApplicationProxy'
    if ((Read-Farm).proxies | Where-Object { $_.name -eq $Name }) {
        $message = "An object of the type Microsoft.SharePoint.Administration.SPAzureAccessControlServiceApplicationProxy named `"$Name`" already exists. Rename your object or delete the existing object."
        return Write-Failure $PSCmdlet $message $id 'ResourceExists' ([InvalidOperationException]::new($message))
    }
    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    # Two changes: what fails between them leaves a proxy that nothing uses.
    Edit-Farm "New-SPAzureAccessControlServiceApplicationProxy $Name" {
        param($farm)
        $farm.proxies = @($farm.proxies) + [pscustomobject] [ordered] @{
            id = "$(ConvertTo-Guid "proxy $Name")"
            type = 'Azure Access Control Service Application Proxy'
            name = $Name
            endpoint = $MetadataServiceEndpointUri.OriginalString
            default = $false
        }
    }
    if ($DefaultProxyGroup) { Edit-Farm "add $Name to the default proxy group" { param($farm) (Find-Proxy $farm $Name).default = $true } }
    return Get-SPServiceApplicationProxy -Identity $Name
}

function Remove-SPServiceApplicationProxy {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline)] $Identity,
        [switch] $RemoveData,
        $AssignmentCollection
    )
    process {
        Assert-Farm $PSCmdlet
        $proxy = Get-SPServiceApplicationProxy -Identity $Identity
        if (-not $proxy -or -not $PSCmdlet.ShouldProcess($proxy.Name)) { return }
        Edit-Farm "Remove-SPServiceApplicationProxy $($proxy.Name)" {
            param($farm)
            $farm.proxies = @($farm.proxies | Where-Object { $_.id -ne $proxy.Id })
        }
    }
}

function Get-SPServiceApplicationProxyGroup {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] [string] $Identity, [switch] $Default, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        if ($Identity -and $Identity -notin '', '[default]') {
            return Write-Failure $PSCmdlet "Cannot find an SPServiceApplicationProxyGroup object with Id or Name: $Identity." `
                'Microsoft.SharePoint.PowerShell.SPCmdletGetServiceApplicationProxyGroup' 'ObjectNotFound'
        }
        $members = @((Read-Farm).proxies | Where-Object { $_.default } | ForEach-Object { ConvertTo-Proxy $_ })
        return [SPServiceApplicationProxyGroup] @{ Name = ''; FriendlyName = '[default]'; DefaultProxies = $members; Proxies = $members }
    }
}

function Edit-ProxyGroup([string] $Call, $Member, [bool] $In) {
    foreach ($one in $Member) {
        Edit-Farm $Call {
            param($farm)
            $proxy = Find-Proxy $farm $one
            if (-not $proxy) { throw "Cannot find an SPServiceApplicationProxy object with Id or Name: $one." }
            $proxy.default = $In
        }
    }
}

function Add-SPServiceApplicationProxyGroupMember {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0)] $Identity, [Parameter(Mandatory, Position = 1)] $Member, $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    if ($PSCmdlet.ShouldProcess('[default]')) { Edit-ProxyGroup 'Add-SPServiceApplicationProxyGroupMember' $Member $true }
}

function Remove-SPServiceApplicationProxyGroupMember {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param(
        [Parameter(Mandatory, Position = 0)] $Identity, [Parameter(Mandatory, Position = 1)] $Member, $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    if ($PSCmdlet.ShouldProcess('[default]')) { Edit-ProxyGroup 'Remove-SPServiceApplicationProxyGroupMember' $Member $false }
}

function Get-SPServiceApplication {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] [string] $Identity, [string] $Name, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $wanted = if ($Identity) { $Identity } else { $Name }
        $found = (Read-Farm).applications | Where-Object { -not $wanted -or $_.name -eq $wanted -or $_.id -eq $wanted }
        $found | ForEach-Object { [SPServiceApplication] @{ Id = $_.id; DisplayName = $_.name; TypeName = $_.type } }
    }
}

function Get-SPWorkflowServiceApplicationProxy {
    [CmdletBinding()] param($AssignmentCollection)
    Assert-Farm $PSCmdlet
    (Read-Farm).proxies | Where-Object { $_.type -like 'Workflow Service*' } | ForEach-Object { ConvertTo-Proxy $_ }
}

function Get-SPAppInstance {
    [CmdletBinding()] param($Identity, $Web, $Site, $AssignmentCollection)
    Assert-Farm $PSCmdlet
    (Read-Farm).app_instances | ForEach-Object {
        [SPAppInstance] @{ Id = $_.id; Title = $_.title; LaunchUrl = $_.launch_url; AppPrincipalId = $_.app_principal_id }
    }
}
