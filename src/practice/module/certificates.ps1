# The certificate store of each server, as the drive `Cert:`. Its certificates are in the farm's state; private keys are
# not kept.

# Where certificates are: one store, since procedures use no other.
$script:Store = 'LocalMachine/Root'

class StoredCertificate { [string] $Thumbprint; [string] $Subject; [datetime] $NotAfter; [string] $PSPath }

# The certificates that this server has.
function Read-Store {
    $stores = (Read-Farm).certificate_stores
    return @($stores.(Get-HereServer))
}

# The certificate at a path of the drive, or nothing.
function Find-Stored([string] $Path) {
    $parts = "$Path".Replace('\', '/').Trim('/')
    if (-not $parts.StartsWith("$script:Store/", [StringComparison]::OrdinalIgnoreCase)) { return }
    $thumbprint = $parts.Substring($script:Store.Length + 1)
    Read-Store | Where-Object { $_.thumbprint -eq $thumbprint }
}

function ConvertTo-Stored($Stored) {
    $certificate = ConvertTo-Certificate $Stored.certificate
    return [StoredCertificate] @{
        Thumbprint = $certificate.Thumbprint
        Subject = $certificate.Subject
        NotAfter = $certificate.NotAfter
        PSPath = "Cert:/$script:Store/$($certificate.Thumbprint)"
    }
}

function Test-Container([string] $Path) {
    $parts = "$Path".Replace('\', '/').Trim('/')
    return $parts -in '', 'LocalMachine', $script:Store
}

function Remove-Stored([string] $Path) {
    $stored = Find-Stored $Path
    if (-not $stored) { throw "Cannot find path 'Cert:\$Path' because it does not exist." }
    $server = Get-HereServer
    Edit-Farm "Remove-Item Cert:/$script:Store/$($stored.thumbprint)" {
        param($farm)
        $farm.certificate_stores.$server = @($farm.certificate_stores.$server | Where-Object { $_.thumbprint -ne $stored.thumbprint })
    }
}

[Management.Automation.Provider.CmdletProvider('Certificate', 'ShouldProcess')]
class PracticeCertificates : Management.Automation.Provider.NavigationCmdletProvider {
    [bool] IsValidPath([string] $path) { return $true }
    [bool] IsItemContainer([string] $path) { return Test-Container $path }
    [bool] ItemExists([string] $path) { return (Test-Container $path) -or [bool] (Find-Stored $path) }
    [bool] HasChildItems([string] $path) { return Test-Container $path }
    [void] GetItem([string] $path) {
        $stored = Find-Stored $path
        if ($stored) { $this.WriteItemObject((ConvertTo-Stored $stored), $path, $false) }
    }
    [void] GetChildItems([string] $path, [bool] $recurse) {
        foreach ($stored in Read-Store) {
            $this.WriteItemObject((ConvertTo-Stored $stored), "$path/$($stored.thumbprint)", $false)
        }
    }
    [void] RemoveItem([string] $path, [bool] $recurse) { Remove-Stored $path }
}

Import-Module -Assembly ([PracticeCertificates].Assembly) -Global
if (-not (Get-PSDrive -Name Cert -ErrorAction SilentlyContinue)) {
    $null = New-PSDrive -Name Cert -PSProvider Certificate -Root '' -Scope Global
}

# On Windows the provider adds `-DeleteKey`. Here there is no key to delete; anything else is none of ours.
function Remove-Item {
    [CmdletBinding(DefaultParameterSetName = 'Path', SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0, ParameterSetName = 'Path', ValueFromPipeline, ValueFromPipelineByPropertyName)] [string[]] $Path,
        [Parameter(Mandatory, ParameterSetName = 'LiteralPath', ValueFromPipelineByPropertyName)] [Alias('PSPath')] [string[]] $LiteralPath,
        [string] $Filter, [string[]] $Include, [string[]] $Exclude, [switch] $Recurse, [switch] $Force, [switch] $DeleteKey
    )
    process {
        $null = $PSBoundParameters.Remove('DeleteKey')
        Microsoft.PowerShell.Management\Remove-Item @PSBoundParameters
    }
}

function Import-PfxCertificate {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0)] [string] $FilePath,
        [Parameter(Position = 1)] [string] $CertStoreLocation = 'Cert:\LocalMachine\My',
        [securestring] $Password, [switch] $Exportable
    )
    $store = $CertStoreLocation.Replace('\', '/').TrimEnd('/')
    if ($store -ne "Cert:/$script:Store") {
        $exception = [ArgumentException]::new("The practice farm has the store Cert:\LocalMachine\Root only, not $CertStoreLocation.")
        $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, 'NotPractised', 'InvalidArgument', $store))
    }
    $certificate = [Security.Cryptography.X509Certificates.X509Certificate2]::new($PSCmdlet.GetUnresolvedProviderPathFromPSPath($FilePath), $Password)
    if (-not $PSCmdlet.ShouldProcess("Import certificate $($certificate.Thumbprint)")) { return }
    $server = Get-HereServer
    Edit-Farm "Import-PfxCertificate $($certificate.Thumbprint)" {
        param($farm)
        $others = @($farm.certificate_stores.$server | Where-Object { $_.thumbprint -ne $certificate.Thumbprint })
        $farm.certificate_stores.$server = $others + [pscustomobject] [ordered] @{
            thumbprint = $certificate.Thumbprint; certificate = [Convert]::ToBase64String($certificate.RawData)
        }
    }
    return $certificate
}
