# The farm itself: servers, web applications, sites, services.

function Get-SPFarm {
    [CmdletBinding()] param($AssignmentCollection)
    Assert-Farm $PSCmdlet
    $farm = Read-Farm
    return [SPFarm] @{
        Id = $farm.id
        Name = 'SharePoint_Config'
        BuildVersion = $farm.build
        Servers = @(Get-FarmServer $farm)
    }
}

# All servers of the farm; one that has databases only has the role Invalid.
function Get-FarmServer($Farm) {
    $Farm.servers | ForEach-Object { [SPServer] @{ Name = $_; Address = $_; Role = 'Custom' } }
    $Farm.database_servers | Where-Object { $_ } | ForEach-Object { [SPServer] @{ Name = $_; Address = $_; Role = 'Invalid' } }
}

function Get-SPServer {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] [string] $Identity, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $found = @(Get-FarmServer (Read-Farm) | Where-Object { -not $Identity -or $_.Name -eq $Identity })
        if ($Identity -and $found.Count -eq 0) {
            return Write-Failure $PSCmdlet "Cannot find an SPServer object with Id or Name: $Identity." 'Microsoft.SharePoint.PowerShell.SPCmdletGetServer' 'ObjectNotFound'
        }
        $found
    }
}

function Get-SPProduct {
    [CmdletBinding()] param([switch] $Local, $AssignmentCollection)
    Assert-Farm $PSCmdlet
    $farm = Read-Farm
    return [pscustomobject] @{ ProductName = "Microsoft SharePoint Server $($farm.version)"; Version = $farm.build }
}

function ConvertTo-WebApplication($Application) {
    return [SPWebApplication] @{ Url = $Application.url + '/'; DisplayName = $Application.name }
}

function Find-WebApplication($Farm, [string] $Url) {
    $wanted = $null
    if (-not [uri]::TryCreate($Url, 'Absolute', [ref] $wanted)) { return }
    $Farm.web_applications | Where-Object { $_.url -eq $wanted.GetLeftPart('Authority') } | Select-Object -First 1
}

function Get-SPWebApplication {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] $Identity, [switch] $IncludeCentralAdministration, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $farm = Read-Farm
        if (-not $Identity) { return $farm.web_applications | ForEach-Object { ConvertTo-WebApplication $_ } }
        $url = if ($Identity -is [SPWebApplication]) { $Identity.Url } else { "$Identity" }
        $found = Find-WebApplication $farm $url
        if ($found) { return ConvertTo-WebApplication $found }
        Write-Failure $PSCmdlet "Cannot find a Web Application with Id or Name: $url." 'Microsoft.SharePoint.PowerShell.SPCmdletGetWebApplication' 'ObjectNotFound'
    }
}

function Get-SPSite {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] $Identity, [string] $Limit, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $farm = Read-Farm
        $urls = if ($Identity -is [SPSite]) { $Identity.Url } elseif ($Identity) { "$Identity" } else { $farm.web_applications.url }
        foreach ($url in $urls) {
            $application = Find-WebApplication $farm $url
            $path = if ($application) { ([uri] $url).AbsolutePath.TrimEnd('/') }
            if (-not $application -or $path) {
                Write-Failure $PSCmdlet "Cannot find an SPSite object with Id or Url: $url." 'Microsoft.SharePoint.PowerShell.SPCmdletGetSite' 'ObjectNotFound'
                continue
            }
            [SPSite] @{
                Url = $application.url
                RootWeb = [SPWeb] @{ Url = $application.url; Title = $application.name }
                WebApplication = ConvertTo-WebApplication $application
            }
        }
    }
}

function Get-SPAuthenticationProvider {
    [CmdletBinding()] param(
        [Parameter(Position = 0)] [string] $Identity,
        [Parameter(Mandatory)] $WebApplication,
        [Parameter(Mandatory)] [ValidateSet('Default', 'Intranet', 'Internet', 'Custom', 'Extranet')] [string] $Zone,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    $url = if ($WebApplication -is [SPWebApplication]) { $WebApplication.Url } else { "$WebApplication" }
    $application = Find-WebApplication (Read-Farm) $url
    if (-not $application) {
        return Write-Failure $PSCmdlet "Cannot find a Web Application with Id or Name: $url." 'Microsoft.SharePoint.PowerShell.SPCmdletGetAuthenticationProvider' 'ObjectNotFound'
    }
    foreach ($provider in $application.authentication.$Zone) {
        [SPAuthenticationProvider] @{
            DisplayName = $provider.name
            ClaimProviderName = $provider.claim_provider
            DisableKerberos = $provider.disable_kerberos
            UseWindowsIntegratedAuthentication = $provider.claim_provider -eq 'AD'
        }
    }
}

function Start-SPAssignment { [CmdletBinding()] param([switch] $Global) if (-not $Global) { return [pscustomobject] @{ Global = $false } } }

function Stop-SPAssignment { [CmdletBinding()] param([Parameter(ValueFromPipeline)] $SemiGlobal, [switch] $Global) process {} }

function Get-SPTimerJob {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] [string] $Identity, $WebApplication, $Server, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $jobs = 'RefreshMetadataFeed', 'job-timer-recycle' | ForEach-Object { [SPTimerJob] @{ Name = $_; DisplayName = $_ } }
        return $jobs | Where-Object { -not $Identity -or $_.Name -eq $Identity }
    }
}

function Start-SPTimerJob {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] $Identity, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $name = if ($Identity -is [SPTimerJob]) { $Identity.Name } else { "$Identity" }
        if ($PSCmdlet.ShouldProcess($name)) { Write-LoneCall "Start-SPTimerJob $name" }
    }
}
