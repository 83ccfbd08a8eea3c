# Stands in for PowerShellGet, so that a practised run installs nothing on this machine: what it installs are empty
# modules beside this one.

$script:Modules = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
$script:Version = '2.30.0'

function Get-Installed([string] $Name) {
    Get-ChildItem -LiteralPath $script:Modules | Where-Object { $_.Name -like 'Microsoft.Graph*' -and (-not $Name -or $_.Name -eq $Name) } |
        ForEach-Object { Get-ChildItem -LiteralPath $_.FullName } | ForEach-Object {
            [pscustomobject] @{ Name = $_.Parent.Name; Version = $_.Name; Repository = 'PSGallery'; InstalledLocation = $_.FullName }
        }
}

function Deny($Cmdlet, [string] $Message, [string] $Id) {
    $exception = [InvalidOperationException]::new($Message)
    $Cmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, $Id, 'ObjectNotFound', $null))
}

function Install-Module {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0)] [string[]] $Name,
        [string] $Repository, [string] $RequiredVersion = $script:Version, [string] $MinimumVersion, [string] $Scope,
        [switch] $Force, [switch] $AllowClobber
    )
    foreach ($one in $Name) {
        if ($one -notlike 'Microsoft.Graph*') {
            Deny $PSCmdlet "No match was found for the specified search criteria and module name '$one': the practice gallery has Microsoft.Graph modules only." 'NoMatchFoundForCriteria'
        }
        if (-not $PSCmdlet.ShouldProcess($one)) { continue }
        $folder = Join-Path $script:Modules "$one/$RequiredVersion"
        $null = New-Item -ItemType Directory -Path $folder -Force
        $manifest = "@{ ModuleVersion = '$RequiredVersion'; Description = 'An empty module of a practice farm' }`n"
        [IO.File]::WriteAllText((Join-Path $folder "$one.psd1"), $manifest)
    }
}

function Uninstall-Module {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0)] [string] $Name, [string] $RequiredVersion, [switch] $AllVersions, [switch] $Force
    )
    $found = @(Get-Installed $Name | Where-Object { -not $RequiredVersion -or $_.Version -eq $RequiredVersion })
    if ($found.Count -eq 0) { Deny $PSCmdlet "No match was found for the specified search criteria and module names '$Name'." 'NoMatchFound' }
    foreach ($one in $found) {
        if (-not $PSCmdlet.ShouldProcess($one.Name)) { continue }
        Remove-Item -LiteralPath $one.InstalledLocation -Recurse -Force -Confirm:$false
        $folder = Join-Path $script:Modules $one.Name
        if (@(Get-ChildItem -LiteralPath $folder).Count -eq 0) { Remove-Item -LiteralPath $folder -Force -Confirm:$false }
    }
}

function Get-InstalledModule {
    [CmdletBinding()] param([Parameter(Position = 0)] [string] $Name)
    $found = @(Get-Installed $Name)
    if ($Name -and $found.Count -eq 0) { Deny $PSCmdlet "No match was found for the specified search criteria and module names '$Name'." 'NoMatchFound' }
    $found
}

function Get-PackageProvider {
    [CmdletBinding()] param([Parameter(Position = 0)] [string[]] $Name, [switch] $ListAvailable)
    [pscustomobject] @{ Name = 'NuGet'; Version = [version] '2.8.5.208' }
}

function Install-PackageProvider {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory, Position = 0)] [string] $Name, [string] $MinimumVersion, [switch] $Force)
    Get-PackageProvider
}
