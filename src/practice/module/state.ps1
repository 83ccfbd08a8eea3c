# The farm's state: one file, which is read anew by each cmdlet, changed under a lock, and replaced as a whole.

$script:Folder = (Resolve-Path (Join-Path $PSScriptRoot '../..')).ProviderPath
$script:FarmFile = Join-Path $script:Folder 'farm.json'
$script:CallsFile = Join-Path $script:Folder 'farm-calls.jsonl'

# The largest record of calls, in bytes; what comes after is not recorded.
$script:LargestRecord = 8MB

# Does it again while others have a file in use: what is open on Windows is not replaced, and what is being replaced not
# opened. ERROR_SHARING_VIOLATION is one of two ways in which that is said.
function Wait-Free([scriptblock] $Do) {
    $until = [datetime]::UtcNow.AddSeconds(10)
    while ($true) {
        try { return & $Do }
        catch {
            $cause = $_.Exception.GetBaseException()
            $used = $cause -is [UnauthorizedAccessException] -or $cause.HResult -eq 0x80070020
            if (-not $IsWindows -or -not $used -or [datetime]::UtcNow -gt $until) { throw }
        }
        Start-Sleep -Milliseconds 20
    }
}

function Read-Whole([string] $Path) {
    return Wait-Free { [IO.File]::ReadAllText($Path) }
}

function Read-Farm {
    return Read-Whole $script:FarmFile | ConvertFrom-Json
}

# A file that only its owner can read. Windows takes the folder's rights.
function Open-Private([string] $Path, [IO.FileMode] $Mode) {
    $options = [IO.FileStreamOptions]::new()
    $options.Mode = $Mode
    $options.Access = 'Write'
    $options.Share = 'None'
    if (-not $IsWindows) { $options.UnixCreateMode = 'UserRead, UserWrite' }
    return [IO.FileStream]::new($Path, $options)
}

function Write-Private([string] $Path, [IO.FileMode] $Mode, [string] $Text) {
    $file = Open-Private $Path $Mode
    try {
        $bytes = [Text.UTF8Encoding]::new($false).GetBytes($Text)
        $file.Write($bytes, 0, $bytes.Length)
        $file.Flush($true)
    } finally {
        $file.Dispose()
    }
}

# The file is whole whatever happens: what was there, or what is there now.
function Write-Whole([string] $Path, $Value) {
    $new = "$Path.new"
    Write-Private $new 'Create' ((ConvertTo-Json -InputObject $Value -Depth 12).Replace("`r`n", "`n") + "`n")
    Wait-Free { [IO.File]::Move($new, $Path, $true) }
}

# The server that a script is carried out on: all of them are this machine, and a step's `on` says which is meant.
function Get-HereServer {
    $servers = @((Read-Farm).servers)
    $on = if ($global:Run) { "$($global:Run.on)" }
    if ($servers -contains $on) { return $on }
    return $servers[0]
}

function Enter-Farm {
    $until = [datetime]::UtcNow.AddSeconds(30)
    while ($true) {
        try { return Open-Private "$script:FarmFile.lock" 'OpenOrCreate' }
        catch [IO.IOException] {
            if ([datetime]::UtcNow -gt $until) { throw 'the practice farm is held by another process for 30 seconds' }
            Start-Sleep -Milliseconds 20
        }
    }
}

# One more line for each change, so that a test or a person can count them; for one who holds the farm's lock.
function Write-Call([string] $What) {
    $length = if (Test-Path $script:CallsFile) { (Get-Item $script:CallsFile).Length } else { 0 }
    if ($length -gt $script:LargestRecord) { return }
    $line = [ordered] @{ at = [datetime]::UtcNow.ToString('o'); pid = $PID; server = Get-HereServer; call = $What }
    Write-Private $script:CallsFile 'Append' ((ConvertTo-Json -InputObject $line -Compress) + "`n")
}

# The same, for what changes nothing but the record: others may write to it at that moment.
function Write-LoneCall([string] $What) {
    $lock = Enter-Farm
    try { Write-Call $What } finally { $lock.Dispose() }
}

# Whether a fault is to happen now. Its file holds how often it still does; `always` stays.
function Test-Fault([string] $Name) {
    $file = Join-Path (Join-Path $script:Folder 'faults') $Name
    try { $left = [IO.File]::ReadAllText($file).Trim() } catch [IO.IOException] { return $false }
    if ($left -eq 'always') { return $true }
    $times = 0
    if (-not [int]::TryParse($left, [ref] $times) -or $times -lt 1) { return $false }
    if ($times -eq 1) { [IO.File]::Delete($file) } else {
        Write-Private $file 'Create' "$($times - 1)`n"
    }
    return $true
}

# Changes the farm: all of `$Change` or nothing, and one call at a time.
function Edit-Farm([string] $Call, [scriptblock] $Change) {
    $lock = Enter-Farm
    try {
        if (Test-Fault 'farm-update-conflict') { throw (New-Conflict 'the practice farm') }
        $farm = Read-Farm
        $given = & $Change $farm
        Write-Whole $script:FarmFile $farm
        Write-Call $Call
    } finally {
        $lock.Dispose()
    }
    if (Test-Fault 'farm-hangs') { Start-Sleep -Seconds 600 }
    if (Test-Fault 'farm-half-way') { throw "practice fault: ``$Call`` failed after it had changed the farm" }
    return $given
}

# What SharePoint says when an object was changed since it was read.
function New-Conflict([string] $What) {
    return "An update conflict has occurred, and you must re-try this action. The object $What was updated by " +
        'PRACTICE\somebody, in the OWSTIMER process, on another machine. View the tracing log for more information about the conflict.'
}

# The certificate that is kept as base64; there is never a private key.
function ConvertTo-Certificate([string] $Text) {
    if (-not $Text) { return $null }
    return [Security.Cryptography.X509Certificates.X509Certificate2]::new([Convert]::FromBase64String($Text))
}

# The same name gives the same id, so that two runs give the same farm.
function ConvertTo-Guid([string] $Name) {
    $hash = [Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Name))
    return [guid]::new([byte[]] $hash[0..15])
}

# An error as a compiled cmdlet tells it: it ends the caller only where the caller's own preference says so.
function Write-Failure($Cmdlet, [string] $Message, [string] $Id, [string] $Category = 'InvalidData', $Exception) {
    if (-not $Exception) { $Exception = [InvalidOperationException]::new($Message) }
    $record = [Management.Automation.ErrorRecord]::new($Exception, $Id, $Category, $null)
    $preference = $Cmdlet.MyInvocation.BoundParameters['ErrorAction']
    if ($null -eq $preference) { $preference = $Cmdlet.GetVariableValue('ErrorActionPreference') }
    if ("$preference" -eq 'Stop') { $Cmdlet.ThrowTerminatingError($record) }
    $Cmdlet.WriteError($record)
}

# Every cmdlet begins with this.
function Assert-Farm($Cmdlet) {
    if (-not (Test-Fault 'farm-not-accessible')) { return }
    $message = 'The local farm is not accessible. Cmdlets with FeatureDependencyId are not registered.'
    $exception = [InvalidOperationException]::new($message)
    $Cmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, 'FarmNotAccessible', 'ResourceUnavailable', $null))
}
