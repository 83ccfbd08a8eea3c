# PowerShell 7 has no snap-ins. This one stands in for SharePoint's, so that runbooks load its cmdlets as they must on
# SharePoint 2013, 2016 and 2019.

$script:SnapIn = 'Microsoft.SharePoint.PowerShell'

function Add-PSSnapin {
    [CmdletBinding()] param([Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Name, [switch] $PassThru)
    process {
        foreach ($one in $Name) {
            if ($one -ne $script:SnapIn) {
                $message = "The Windows PowerShell snap-in '$one' is not installed on this computer."
                $exception = [ArgumentException]::new($message)
                $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, 'AddPSSnapInRead', 'InvalidArgument', $one))
            }
            Import-Module (Join-Path $PSScriptRoot '../../snap-in/SharePointServer') -Global -DisableNameChecking
        }
    }
}

function Get-PSSnapin {
    [CmdletBinding()] param([Parameter(Position = 0)] [string[]] $Name, [switch] $Registered)
    if ($Registered -or (Get-Module SharePointServer)) { [pscustomobject] @{ Name = $script:SnapIn } }
}
