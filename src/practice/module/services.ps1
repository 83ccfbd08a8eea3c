# Services and IIS of each server, and the record of when they were started: the file `services.json`.

$script:ServicesFile = Join-Path $script:Folder 'services.json'
$script:Services = 'SPTimerV4', 'SPAdminV4', 'W3SVC', 'IISADMIN', 'AppFabricCachingService'

# When a service was started that nobody has restarted yet.
$script:Boot = '2026-01-01T00:00:00.0000000Z'

function Read-Service {
    if (Test-Path -LiteralPath $script:ServicesFile) {
        return Read-Whole $script:ServicesFile | ConvertFrom-Json -AsHashtable -DateKind String
    }
    return @{}
}

# Notes that a service of this server was started anew.
function Write-Start([string[]] $Service, [string] $Call) {
    $lock = Enter-Farm
    try {
        $servers, $server = (Read-Service), (Get-HereServer)
        if (-not $servers[$server]) { $servers[$server] = @{} }
        foreach ($one in $Service) {
            $starts = if ($servers[$server][$one]) { $servers[$server][$one].starts } else { 0 }
            $servers[$server][$one] = [ordered] @{ started = [datetime]::UtcNow.ToString('o'); starts = $starts + 1 }
        }
        Write-Whole $script:ServicesFile $servers
        Write-Call $Call
    } finally { $lock.Dispose() }
}

function Assert-Service($Cmdlet, [string[]] $Name) {
    $unknown = @($Name | Where-Object { $script:Services -notcontains $_ })
    if ($unknown.Count -eq 0) { return }
    $message = "Cannot find any service with service name '$($unknown[0])'. The practice farm has: $($script:Services -join ', ')."
    $exception = [InvalidOperationException]::new($message)
    $Cmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, 'NoServiceFoundForGivenName', 'ObjectNotFound', $unknown[0]))
}

function Get-Service {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] [string[]] $Name = $script:Services, [string] $ComputerName)
    process {
        Assert-Service $PSCmdlet $Name
        $Name | ForEach-Object { [pscustomobject] @{ Name = $_; Status = 'Running' } }
    }
}

function Restart-Service {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $Force)
    process {
        Assert-Service $PSCmdlet $Name
        foreach ($one in $Name) { if ($PSCmdlet.ShouldProcess($one)) { Write-Start $one "Restart-Service $one" } }
    }
}

function Start-Service {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name)
    process {
        Assert-Service $PSCmdlet $Name
        foreach ($one in $Name) { if ($PSCmdlet.ShouldProcess($one)) { Write-Start $one "Start-Service $one" } }
    }
}

function Stop-Service {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $Force)
    process {
        Assert-Service $PSCmdlet $Name
        foreach ($one in $Name) { if ($PSCmdlet.ShouldProcess($one)) { Write-LoneCall "Stop-Service $one" } }
    }
}

function iisreset {
    Write-Start 'W3SVC', 'IISADMIN' "iisreset $args"
    $global:LASTEXITCODE = 0
    'Attempting stop...', 'Internet services successfully stopped', 'Attempting start...', 'Internet services successfully restarted'
}

# The timer service's process: what tells when the service was started.
function Get-CimInstance {
    [CmdletBinding()] param([Parameter(Mandatory, Position = 0)] [string] $ClassName, [string] $Filter)
    if ($ClassName -ne 'Win32_Process' -or $Filter -notmatch "^\s*Name\s*=\s*'OWSTIMER\.EXE'\s*$") {
        $message = "The practice farm knows Win32_Process with Name = 'OWSTIMER.EXE' only, not $ClassName with $Filter."
        $exception = [InvalidOperationException]::new($message)
        $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, 'NotPractised', 'InvalidArgument', $ClassName))
    }
    $server = (Read-Service)[(Get-HereServer)]
    $started = if ($server -and $server.SPTimerV4) { $server.SPTimerV4.started } else { $script:Boot }
    $exact = [Globalization.CultureInfo]::InvariantCulture
    return [pscustomobject] @{ Name = 'OWSTIMER.EXE'; CreationDate = [datetime]::Parse($started, $exact, 'RoundtripKind').ToLocalTime() }
}
