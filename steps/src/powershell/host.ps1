# The host script: what runbook has every PowerShell carry out first, and what carries a step's scripts out.
#
# It is constant; nothing is ever written into it. Messages arrive on standard input, each a line of ASCII JSON.
# What is to be known goes back on standard output, on lines of the form `MARK KIND BASE64`, whose mark is drawn for
# each message: what a script or a program prints is not taken for an answer. ASCII throughout, in the language that
# Windows PowerShell 5.1 and PowerShell 7 share. decisions/0014 says why it is as it is.

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$RunbookParts = {
    # On another machine, what goes back is the output of the pipeline.
    param([bool] $There)
    $script:In = if (-not $There) { [Console]::In }
    $script:Out = if (-not $There) { [Console]::OpenStandardOutput() }
    $script:Parts = ''
    $script:Server = $null
    $script:Queue = $null
    $script:Watched = [hashtable]::Synchronized(@{ Busy = $false })
    $script:Mark = ''
    $script:Formatter = $null
    $script:Verdict = 'none'
    $script:Reason = ''
    $script:Outputs = '{}'
    $script:Observed = 'null'
    # Windows PowerShell takes what programs print as errors for errors of the script once that stream is merged.
    $script:MergesErrors = $PSVersionTable.PSVersion -ge [version] '7.2'

    # --- Values ------------------------------------------------------------------------------------------

    # Undoes the form in which values travel: every text begins with `=`, so that none looks like a date, and
    # maps are lists, so that no name is lost.
    function ConvertFrom-Wire($Value) {
        if ($Value -is [string]) { return $Value.Substring(1) }
        if ($Value -isnot [array]) { return $Value }
        $kind = $Value[0]
        if ($kind -ceq 'l') {
            $list = New-Object object[] ($Value.Count - 1)
            for ($i = 1; $i -lt $Value.Count; $i++) { $list[$i - 1] = ConvertFrom-Wire $Value[$i] }
            return , $list
        }
        $names = New-Object System.Collections.Generic.HashSet[string] ([StringComparer]::OrdinalIgnoreCase)
        # What PowerShell keeps for itself cannot be the name of a property.
        foreach ($taken in '', 'psobject', 'psbase', 'psadapted', 'psextended', 'pstypenames') {
            $null = $names.Add($taken)
        }
        $told = $true
        $map = New-Object System.Collections.Specialized.OrderedDictionary ([StringComparer]::Ordinal)
        for ($i = 1; $i -lt $Value.Count; $i += 2) {
            $name = $Value[$i].Substring(1)
            if (-not $names.Add($name)) { $told = $false }
            $map[[object] $name] = ConvertFrom-Wire $Value[$i + 1]
        }
        # Names that an object cannot tell apart stay apart in a dictionary.
        if (-not $told) { return $map }
        $object = New-Object psobject
        foreach ($name in $map.Keys) {
            $object.PSObject.Properties.Add((New-Object Management.Automation.PSNoteProperty $name, $map[[object] $name]))
        }
        return $object
    }

    function ConvertTo-JsonText([string] $Text) {
        $lone = '[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]'
        $whole = [regex]::Replace($Text, $lone, [string] [char] 0xfffd)
        $escape = { param($found) '\u{0:x4}' -f [int] [char] $found.Value }
        return '"' + [regex]::Replace($whole, '["\\\x00-\x1f\x7f-\uffff]', $escape) + '"'
    }

    function Add-Json([Text.StringBuilder] $Json, $Value, [string] $Place, [int] $Depth) {
        if ($null -eq $Value) { $null = $Json.Append('null'); return }
        if ($Depth -gt 32) { throw "``$Place`` is nested more than 32 deep, or contains itself" }
        $base = $Value.PSObject.BaseObject
        $exact = [Globalization.CultureInfo]::InvariantCulture
        if ($base -is [string] -or $base -is [char]) { $text = ConvertTo-JsonText $base }
        elseif ($base -is [bool] -or $base -is [switch]) { $text = ([string] [bool] $base).ToLowerInvariant() }
        elseif ($base -is [enum]) { $text = ConvertTo-JsonText $base.ToString() }
        elseif ($base -is [double] -or $base -is [single]) {
            if ([double]::IsNaN($base) -or [double]::IsInfinity($base)) { throw "``$Place`` is $base, which JSON cannot hold" }
            $text = ([double] $base).ToString('R', $exact)
        }
        elseif ($base -is [decimal] -or $base -is [bigint] -or ($base -is [ValueType] -and $base.GetType().IsPrimitive)) {
            $text = $base.ToString($exact)
        }
        elseif ($base -is [datetime]) { $text = ConvertTo-JsonText $base.ToUniversalTime().ToString('o', $exact) }
        elseif ($base -is [DateTimeOffset]) { $text = ConvertTo-JsonText $base.ToUniversalTime().ToString('o', $exact) }
        elseif ($base -is [uri]) { $text = ConvertTo-JsonText $base.OriginalString }
        elseif ($base -is [guid] -or $base -is [version] -or $base -is [timespan] -or $base -is [Net.IPAddress] -or
            $base.GetType().FullName -eq 'System.Management.Automation.SemanticVersion') {
            $text = ConvertTo-JsonText $base.ToString()
        }
        else { Add-JsonMany $Json $Value $Place $Depth; return }
        $null = $Json.Append($text)
    }

    function Add-JsonMany([Text.StringBuilder] $Json, $Value, [string] $Place, [int] $Depth) {
        $separator = ''
        if ($Value -is [Collections.IDictionary] -or $Value -is [Management.Automation.PSCustomObject]) {
            $null = $Json.Append('{')
            $fields = if ($Value -is [Collections.IDictionary]) { $Value.GetEnumerator() } else { $Value.PSObject.Properties }
            foreach ($field in $fields) {
                $name = if ($field -is [Collections.DictionaryEntry]) { $field.Key } else { $field.Name }
                $null = $Json.Append($separator).Append((ConvertTo-JsonText ([string] $name))).Append(':')
                Add-Json $Json $field.Value "$Place.$name" ($Depth + 1)
                $separator = ','
            }
            $null = $Json.Append('}')
        }
        elseif ($Value -is [Collections.IEnumerable] -and $Value -isnot [xml] -and $Value -isnot [securestring]) {
            $null = $Json.Append('[')
            $at = 0
            foreach ($item in $Value) {
                $null = $Json.Append($separator)
                Add-Json $Json $item "$Place[$at]" ($Depth + 1)
                $separator = ','
                $at++
            }
            $null = $Json.Append(']')
        }
        else {
            $type = $Value.GetType().FullName
            throw "``$Place`` is an object of the type $type, which cannot be kept: pick the properties that matter, as in @{ name = `$it.Name }"
        }
    }

    function ConvertTo-RunbookJson($Value, [string] $Place) {
        $json = New-Object Text.StringBuilder
        Add-Json $json $Value $Place 0
        if ($json.Length -gt 1MB) { throw "``$Place`` is larger than the 1 MiB that is allowed" }
        return $json.ToString()
    }

    function ConvertTo-Map($Value, [string] $Place) {
        $isMap = $Value -is [Collections.IDictionary] -or $Value -is [Management.Automation.PSCustomObject]
        if (-not $isMap) { throw "``$Place`` must be a map from names to values, as in @{ name = 'value' }" }
        return ConvertTo-RunbookJson $Value $Place
    }

    # --- What scripts may say ----------------------------------------------------------------------------

    # An error is the caller's: it is told where the script stands, not here.

    function Set-Satisfied {
        [CmdletBinding()] param($Outputs = @{}, $Observed)
        try { Set-Answer 'satisfied' '' $Outputs $Observed } catch { $PSCmdlet.ThrowTerminatingError($_) }
    }

    function Set-Unsatisfied {
        [CmdletBinding()] param([Parameter(Mandatory)] [string] $Reason, $Observed)
        try { Set-Answer 'unsatisfied' $Reason @{} $Observed } catch { $PSCmdlet.ThrowTerminatingError($_) }
    }

    function Set-Unknown {
        [CmdletBinding()] param($Observed)
        try { Set-Answer 'unknown' '' @{} $Observed } catch { $PSCmdlet.ThrowTerminatingError($_) }
    }

    function Set-Outputs {
        [CmdletBinding()] param([Parameter(Mandatory, Position = 0)] $Outputs)
        try { $script:Outputs = ConvertTo-Map $Outputs 'outputs' } catch { $PSCmdlet.ThrowTerminatingError($_) }
    }

    function Set-Answer([string] $Verdict, [string] $Reason, $Outputs, $Observed) {
        $outputs = ConvertTo-Map $Outputs 'outputs'
        $script:Observed = ConvertTo-RunbookJson $Observed 'observed'
        $script:Verdict, $script:Reason, $script:Outputs = $Verdict, (Limit-Text $Reason 64KB), $outputs
    }

    # Windows PowerShell would open a window for credentials, which nobody sees.
    function Read-Host {
        [CmdletBinding()] param([Parameter(ValueFromRemainingArguments)] $Question)
        try { throw 'NonInteractive: `Read-Host` asks' } catch { $PSCmdlet.ThrowTerminatingError($_) }
    }

    function Get-Credential {
        [CmdletBinding()] param([Parameter(ValueFromRemainingArguments)] $Question)
        try { throw 'NonInteractive: `Get-Credential` asks' } catch { $PSCmdlet.ThrowTerminatingError($_) }
    }

    # --- What goes back ----------------------------------------------------------------------------------

    function Send([string] $Kind, [string] $Content) {
        $base64 = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($Content))
        Write-Line "$script:Mark $Kind $base64"
    }

    function Write-Line([string] $Line) {
        if (-not $script:Out) { return $Line }
        $bytes = [Text.Encoding]::ASCII.GetBytes("$Line`n")
        $script:Out.Write($bytes, 0, $bytes.Length)
        $script:Out.Flush()
    }

    # A record of the transcript; a very long one is cut, and says so.
    # A text of at most so many characters; a longer one is cut, and says so.
    function Limit-Text([string] $Text, [int] $Most) {
        if ($Text.Length -le $Most) { return $Text }
        return $Text.Substring(0, $Most) + "... ($($Text.Length - $Most) more)"
    }

    function Send-Text([string] $Stream, [string] $Text) { Send $Stream (Limit-Text $Text 256KB) }

    function Send-Lines($Lines) {
        foreach ($line in $Lines) { Send-Text 'output' "$line" }
    }

    function Complete-Format {
        if ($script:Formatter) { Send-Lines $script:Formatter.End() }
        $script:Formatter = $null
    }

    # Sends each record of each stream on, in the order in which they come.
    function Send-Record {
        param([Parameter(ValueFromPipeline)] $Record)
        process {
            if ($null -eq $Record) { return }
            $base = $Record.PSObject.BaseObject
            $stream, $text = switch ($base.GetType().Name) {
                'String' { 'output', $base; break }
                'WarningRecord' { 'warning', $base.Message; break }
                'VerboseRecord' { 'verbose', $base.Message; break }
                'DebugRecord' { 'debug', $base.Message; break }
                'InformationRecord' { 'information', "$($base.MessageData)"; break }
                'ErrorRecord' { $(if ("$($base.FullyQualifiedErrorId)" -like 'NativeCommandError*') { 'stderr' } else { 'error' }), "$base"; break }
            }
            if ($stream) {
                Complete-Format
                Send-Text $stream $text
                return
            }
            if (-not $script:Formatter) {
                $script:Formatter = { Out-String -Stream -Width 200 }.GetSteppablePipeline()
                $script:Formatter.Begin($true)
            }
            Send-Lines $script:Formatter.Process($Record)
        }
    }

    function Send-Answer([string] $Kind) {
        Complete-Format
        $reason = ConvertTo-JsonText $script:Reason
        Send $Kind ('{"verdict":"' + $script:Verdict + '","reason":' + $reason +
            ',"outputs":' + $script:Outputs + ',"observed":' + $script:Observed + '}')
    }

    function Send-Failure($Record, [string] $During, $Name) {
        $parsing = $Record.Exception.InnerException -as [Management.Automation.ParseException]
        $found = if ($parsing -and $During -eq 'parsing') { $parsing.Errors[0] }
        $causes = @()
        $cause = if (-not $found) { $Record.Exception.InnerException }
        while ($cause -and $causes.Count -lt 8) {
            $causes += Limit-Text $cause.Message 8KB
            $cause = $cause.InnerException
        }
        $place = $Record.InvocationInfo
        Send 'failed' (ConvertTo-RunbookJson ([ordered] @{
            during = $During
            message = Limit-Text $(if ($found) { $found.Message } else { $Record.Exception.Message }) 8KB
            type = $Record.Exception.GetType().FullName
            # Of a text that is thrown, it is the text.
            id = Limit-Text "$($Record.FullyQualifiedErrorId)" 8KB
            line = if ($found) { $found.Extent.StartLineNumber } elseif ($place) { $place.ScriptLineNumber } else { 0 }
            code = Limit-Text $(if ($found) { $found.Extent.Text } elseif ($place) { "$($place.Line)".Trim() } else { '' }) 8KB
            causes = $causes
            name = $Name
        }) 'error')
    }

    function Send-Hello {
        $elevated = if ([Environment].GetProperty('IsPrivilegedProcess')) { [Environment]::IsPrivilegedProcess } else {
            $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
            $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
        }
        Send 'hello' (ConvertTo-RunbookJson ([ordered] @{
            edition = "$($PSVersionTable.PSEdition)"
            version = "$($PSVersionTable.PSVersion)"
            wide = [Environment]::Is64BitProcess
            elevated = [bool] $elevated
            code_page = [Console]::OutputEncoding.CodePage
            machine = [Environment]::MachineName
            user = [Environment]::UserName
        }) 'hello')
    }

    # --- Calls ----------------------------------------------------------------------------------------

    # Carries one script out. `$Caller` does it in the global scope, which is no module's.
    function Invoke-Call($Message, [scriptblock] $Caller) {
        $script:Verdict, $script:Reason, $script:Outputs, $script:Observed = 'none', '', '{}', 'null'
        $global:Run = ConvertFrom-Wire $Message.run
        $global:Before = ConvertFrom-Wire $Message.before
        $global:ErrorActionPreference = 'Stop'
        $global:ProgressPreference = 'SilentlyContinue'
        $global:LASTEXITCODE = $null
        $global:Error.Clear()
        $during, $name, $told = 'modules', $null, $false
        try {
            foreach ($module in @($Message.modules)) {
                if ($module) { Import-Module -Name $module.Substring(1) -Global -DisableNameChecking }
            }
            $during = 'parsing'
            foreach ($other in @($Message.others)) {
                $name = if ($other) { $other.name.Substring(1) }
                if ($other) { $null = [ScriptBlock]::Create($other.script.Substring(1)) }
            }
            $name = $null
            $block = [ScriptBlock]::Create($Message.script.Substring(1))
            $during = 'script'
            if ($script:MergesErrors) { . $Caller $block $Message.define *>&1 | Send-Record }
            else { . $Caller $block $Message.define 3>&1 4>&1 5>&1 6>&1 | Send-Record }
            $told = $true
            Send-Answer 'answer'
        }
        catch {
            $told = $true
            Complete-Format
            Send-Failure $_ $during $name
        }
        finally {
            # `exit` passes by every `catch`.
            if (-not $told) {
                $script:Watched.Busy = $false
                Send-Answer 'left'
            }
        }
    }

    # --- Other machines ----------------------------------------------------------------------------------

    # A process whose input ends with this one: then it ends what the scripts left in the connection's group.
    function Start-Guard {
        if (-not $env:SSH_CONNECTION -or $env:SystemRoot) { return }
        $guard = New-Object Diagnostics.ProcessStartInfo '/bin/sh', '-c "read line; kill -KILL 0"'
        $guard.UseShellExecute = $false
        $guard.RedirectStandardInput = $true
        $script:Guard = [Diagnostics.Process]::Start($guard)
    }

    # Reads ahead, so that a script ends when the connection does: nobody could end it from where the engine is.
    function Watch-Input {
        Start-Guard
        $script:Queue = New-Object Collections.Concurrent.BlockingCollection[string]
        $watch = [PowerShell]::Create([Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()).AddScript({
            param($in, $queue, $watched, $id)
            while ($null -ne ($line = $in.ReadLine())) { $queue.Add($line) }
            $queue.CompleteAdding()
            if (-not $watched.Busy) { return }
            if ($env:SystemRoot) { & "$env:SystemRoot\System32\taskkill.exe" /T /F /PID $id } else { & /bin/sh -c 'kill -KILL 0' }
        })
        foreach ($argument in $script:In, $script:Queue, $script:Watched, $PID) { $null = $watch.AddArgument($argument) }
        $null = $watch.BeginInvoke()
    }

    function Connect-Server($Message) {
        try {
            $how = @{}
            foreach ($field in $Message.server.PSObject.Properties) {
                $how[$field.Name] = if ($field.Value -is [string]) { $field.Value.Substring(1) } else {
                    $many = @{}
                    foreach ($one in $field.Value.PSObject.Properties) { $many[$one.Name] = $one.Value.Substring(1) }
                    $many
                }
            }
            $server = New-PSSession @how
            Invoke-Command -Session $server -ArgumentList $script:Parts -ScriptBlock {
                param($parts)
                $global:RunbookModule = New-Module -Name Runbook -ScriptBlock ([ScriptBlock]::Create($parts)) -ArgumentList $true
                Import-Module $global:RunbookModule -Global -DisableNameChecking
                & $global:RunbookModule { Start-Guard }
            }
            $script:Server = $server
            Send 'connected' ''
        }
        catch { Send-Failure $_ 'connecting' }
    }

    # Has the host script of the other machine do what a message says, and passes on what it says.
    function Invoke-There([string] $Line) {
        $script:Ended = $false
        try {
            Invoke-Command -Session $script:Server -ArgumentList $Line -ScriptBlock {
                param($line)
                & $global:RunbookModule { param($line, $caller) Invoke-Line $line $caller } $line {
                    do { if ($args[1]) { . $args[0] } else { & $args[0] } } while ($false)
                }
            } | ForEach-Object {
                $kind = if ("$_".StartsWith("$script:Mark ")) { "$_".Split(' ')[1] }
                if ($kind -in 'hello', 'answer', 'failed') { $script:Ended = $true }
                if (-not $kind) { Send-Text 'output' "$_" } elseif ($kind -cne 'left') { Write-Line "$_" }
            }
            if (-not $script:Ended) { Send 'exited' '' }
        }
        catch { Send-Failure $_ $(if ("$($script:Server.State)" -ceq 'Opened') { 'connecting' } else { 'lost' }) }
    }

    function Invoke-Line([string] $Line, [scriptblock] $Caller) {
        $message = ConvertFrom-Json $Line
        $script:Mark = $message.mark
        if ($message.watch -and -not $script:Queue) { Watch-Input }
        $script:Watched.Busy = $message.do -ceq 'call'
        if ($message.do -ceq 'connect') { Connect-Server $message }
        elseif ($script:Server) { Invoke-There $Line }
        elseif ($message.do -ceq 'hello') { Send-Hello }
        else { Invoke-Call $message $Caller }
        $script:Watched.Busy = $false
    }

    function Read-Line {
        if (-not $script:Queue) { return $script:In.ReadLine() }
        try { return $script:Queue.Take() } catch { return $null }
    }

    function Invoke-Main([string] $Parts, [scriptblock] $Caller) {
        $script:Parts = $Parts
        while ($null -ne ($line = Read-Line)) { Invoke-Line $line $Caller }
        if ($script:Server) { Remove-PSSession $script:Server }
    }

    Export-ModuleMember -Function Set-Satisfied, Set-Unsatisfied, Set-Unknown, Set-Outputs, Read-Host, Get-Credential
}
$RunbookModule = New-Module -Name Runbook -ScriptBlock $RunbookParts -ArgumentList $false
Import-Module $RunbookModule -Global -DisableNameChecking

# The loop of its own keeps a `break` in a script from ending ours.
& $RunbookModule { param($parts, $caller) Invoke-Main $parts $caller } $RunbookParts.ToString() {
    do { if ($args[1]) { . $args[0] } else { & $args[0] } } while ($false)
}
