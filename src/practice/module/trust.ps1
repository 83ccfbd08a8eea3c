# Whom the farm trusts: its token service, its realm, app principals, proxies and token issuers.

# --- The security token service --------------------------------------------------------------------------

function Get-SPSecurityTokenServiceConfig {
    [CmdletBinding()] param($AssignmentCollection)
    Assert-Farm $PSCmdlet
    $sts = (Read-Farm).sts
    $manager = [SPSecurityTokenServiceManager] @{
        AllowOAuthOverHttp = $sts.allow_oauth_over_http
        AllowMetadataOverHttp = $sts.allow_metadata_over_http
        NameIdentifier = $sts.name_identifier
        Read = ConvertTo-Json $sts
    }
    $manager.LocalLoginProvider.SigningCertificate = ConvertTo-Certificate $sts.certificate
    return $manager
}

function Set-SPSecurityTokenServiceConfig {
    [CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'SigningCertificateImport')] param(
        [Parameter(ParameterSetName = 'SigningCertificateImport')]
        [Security.Cryptography.X509Certificates.X509Certificate2] $ImportSigningCertificate,
        [Parameter(ParameterSetName = 'SigningCertificateQueue')]
        [Security.Cryptography.X509Certificates.X509Certificate2] $QueueSigningCertificate,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    $id = 'Microsoft.SharePoint.PowerShell.SPCmdletSetSecurityTokenServiceConfig'
    if ($QueueSigningCertificate) {
        $message = 'practice: what a real farm does with a queued certificate is not practised here.'
        return Write-Failure $PSCmdlet $message $id 'NotImplemented' ([NotSupportedException]::new($message))
    }
    $new = $ImportSigningCertificate
    if (-not $new) { return }
    if (-not $new.HasPrivateKey) {
        $message = 'The private key of the certificate is missing: the token service could not sign with it.'
        return Write-Failure $PSCmdlet $message $id 'InvalidArgument' ([ArgumentException]::new($message))
    }
    if (-not $PSCmdlet.ShouldProcess('SecurityTokenServiceManager')) { return }
    Edit-Farm "Set-SPSecurityTokenServiceConfig $($new.Thumbprint)" {
        param($farm)
        $farm.sts.certificate = [Convert]::ToBase64String($new.RawData)
    }
}

# --- The realm -------------------------------------------------------------------------------------------

function Get-SPAuthenticationRealm {
    [CmdletBinding()] param($ServiceContext, $AssignmentCollection)
    Assert-Farm $PSCmdlet
    return (Read-Farm).realm
}

function Set-SPAuthenticationRealm {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory)] [string] $Realm, $ServiceContext, $AssignmentCollection)
    Assert-Farm $PSCmdlet
    if (-not $PSCmdlet.ShouldProcess($Realm)) { return }
    Write-Warning ('practice: whether a real farm also changes the name of its token service is not known; here it stays as it is')
    Edit-Farm "Set-SPAuthenticationRealm $Realm" { param($farm) $farm.realm = $Realm.ToLowerInvariant() }
}

# --- App principals --------------------------------------------------------------------------------------

function ConvertTo-AppPrincipal($Principal) {
    return [SPAppPrincipal] @{ DisplayName = $Principal.display_name; NameIdentifier = $Principal.name_identifier }
}

# What asks for app principals asks the App Management service. How a real farm says that it does not answer is not known.
function Assert-AppManagement($Cmdlet) {
    if (-not (Test-Fault 'farm-app-management-down')) { return }
    $message = 'practice fault: the App Management service does not answer.'
    if (-not $Cmdlet) { throw $message }
    $exception = [InvalidOperationException]::new($message)
    $Cmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new($exception, 'AppManagementDown', 'ConnectionError', $null))
}

# The farm writes more in front of the name than it was given.
function Find-AppPrincipal($Farm, [string] $NameIdentifier) {
    $Farm.app_principals | Where-Object { $_.name_identifier -eq $NameIdentifier -or $_.name_identifier -like "*|$NameIdentifier" }
}

function Get-SPAppPrincipal {
    [CmdletBinding()] param([Parameter(Mandatory)] [string] $NameIdentifier, [Parameter(Mandatory)] $Site, $AssignmentCollection)
    Assert-Farm $PSCmdlet
    Assert-AppManagement $PSCmdlet
    $found = Find-AppPrincipal (Read-Farm) $NameIdentifier
    if ($found) { return ConvertTo-AppPrincipal $found }
    Write-Failure $PSCmdlet 'The app principal could not be found.' 'Microsoft.SharePoint.PowerShell.SPCmdletGetAppPrincipal' 'ObjectNotFound'
}

function Register-SPAppPrincipal {
    [CmdletBinding()] param(
        [Parameter(Mandatory)] [string] $DisplayName,
        [Parameter(Mandatory)] [string] $NameIdentifier,
        [Parameter(Mandatory)] $Site,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    Assert-AppManagement $PSCmdlet
    if (-not (Get-SPServiceApplicationProxy | Where-Object { $_.TypeName -like 'App Management*' })) {
        return Write-Failure $PSCmdlet 'The App Management Shared Service Proxy is not installed.' 'Microsoft.SharePoint.PowerShell.SPCmdletRegisterAppPrincipal'
    }
    if ($NameIdentifier -notmatch '^[0-9a-fA-F-]{36}@([0-9a-fA-F-]{36}|\*)$') {
        return Write-Failure $PSCmdlet "The name identifier '$NameIdentifier' is not valid." 'Microsoft.SharePoint.PowerShell.SPCmdletRegisterAppPrincipal' `
            'InvalidArgument' ([ArgumentException]::new("The name identifier '$NameIdentifier' is not valid."))
    }
    if (Find-AppPrincipal (Read-Farm) $NameIdentifier) {
        Write-Warning 'practice: what a real farm does when a principal is registered twice is not documented; here it is an error'
        return Write-Failure $PSCmdlet 'The app principal is registered already.' 'Microsoft.SharePoint.PowerShell.SPCmdletRegisterAppPrincipal' 'ResourceExists'
    }
    Edit-Farm "Register-SPAppPrincipal $NameIdentifier" {
        param($farm)
        $farm.app_principals = @($farm.app_principals) + [pscustomobject] [ordered] @{
            display_name = $DisplayName
            name_identifier = "i:0i.t|ms.sp.ext|$NameIdentifier"
            permissions = @()
        }
    }
    return ConvertTo-AppPrincipal (Find-AppPrincipal (Read-Farm) $NameIdentifier)
}

function Set-SPAppPrincipalPermission {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory)] [SPAppPrincipal] $AppPrincipal,
        [Parameter(Mandatory)] [ValidateSet('Read', 'Write', 'Manage', 'FullControl')] [string] $Right,
        [Parameter(Mandatory)] [ValidateSet('Farm', 'SiteCollection', 'Site', 'SiteSubscription', 'Taxonomy', 'Search')] [string] $Scope,
        [Parameter(Mandatory)] $Site,
        [switch] $EnableAppOnlyPolicy,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    if (-not $PSCmdlet.ShouldProcess($AppPrincipal.NameIdentifier)) { return }
    Edit-Farm "Set-SPAppPrincipalPermission $Scope $Right" {
        param($farm)
        $principal = Find-AppPrincipal $farm $AppPrincipal.NameIdentifier
        if (-not $principal) { throw 'The app principal could not be found.' }
        $others = @($principal.permissions | Where-Object { $_.scope -ne $Scope })
        $principal.permissions = $others + [pscustomobject] [ordered] @{ scope = $Scope; right = $Right }
    }
}

function Remove-SPAppPrincipalPermission {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param(
        [Parameter(Mandatory)] [SPAppPrincipal] $AppPrincipal,
        [Parameter(Mandatory)] [string] $Scope,
        [Parameter(Mandatory)] $Site,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    if (-not $PSCmdlet.ShouldProcess($AppPrincipal.NameIdentifier)) { return }
    Edit-Farm "Remove-SPAppPrincipalPermission $Scope" {
        param($farm)
        $principal = Find-AppPrincipal $farm $AppPrincipal.NameIdentifier
        if ($principal) { $principal.permissions = @($principal.permissions | Where-Object { $_.scope -ne $Scope }) }
    }
}

# --- Trusted token issuers -------------------------------------------------------------------------------

function ConvertTo-Issuer($Issuer) {
    return [SPTrustedSecurityTokenIssuer] @{
        Name = $Issuer.name
        RegisteredIssuerName = $Issuer.registered_issuer_name
        IsSelfIssuer = $Issuer.is_self_issuer
        MetadataEndPoint = $Issuer.metadata_endpoint
        SigningCertificate = ConvertTo-Certificate $Issuer.certificate
        Description = $Issuer.description
        Id = $Issuer.id
    }
}

function Get-SPTrustedSecurityTokenIssuer {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] $Identity, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $name = if ($Identity -is [SPTrustedSecurityTokenIssuer]) { $Identity.Name } else { "$Identity" }
        $found = @((Read-Farm).issuers | Where-Object { -not $name -or $_.name -eq $name -or $_.id -eq $name })
        if ($name -and $found.Count -eq 0) {
            return Write-Failure $PSCmdlet "Cannot find an SPTrustedSecurityTokenIssuer object with Id or Name: $name." `
                'Microsoft.SharePoint.PowerShell.SPCmdletGetTrustedSecurityTokenIssuer' 'ObjectNotFound'
        }
        $found | ForEach-Object { ConvertTo-Issuer $_ }
    }
}

# What the metadata endpoint says. A practice farm asks nobody but this machine.
function Read-Metadata([uri] $Endpoint) {
    if (-not $Endpoint.IsLoopback) {
        throw "the practice farm reaches this machine only, not $Endpoint`: use the endpoint that ``runbook practice`` printed"
    }
    if (-not ('http', 'https' -contains $Endpoint.Scheme)) { throw "The metadata endpoint $Endpoint is no web address." }
    $metadata = Invoke-RestMethod -Uri $Endpoint -TimeoutSec 30
    $key = @($metadata.keys | Where-Object { $_.usage -eq 'Signing' })[0]
    if (-not $metadata.realm -or -not $key) { throw "The metadata at $Endpoint holds no realm or no signing key." }
    return [pscustomobject] @{ Issuer = "$($metadata.serviceName)@$($metadata.realm)"; Certificate = $key.keyValue.value }
}

function New-SPTrustedSecurityTokenIssuer {
    [CmdletBinding(SupportsShouldProcess, DefaultParameterSetName = 'Metadata')] param(
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory, ParameterSetName = 'Metadata')] [uri] $MetadataEndPoint,
        [Parameter(Mandatory, ParameterSetName = 'Certificate')]
        [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,
        [string] $RegisteredIssuerName,
        [switch] $IsTrustBroker,
        [string] $Description = '',
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    $id = 'Microsoft.SharePoint.PowerShell.SPCmdletNewTrustedSecurityTokenIssuer'
    if ($MetadataEndPoint) {
        try { $metadata = Read-Metadata $MetadataEndPoint }
        catch { return Write-Failure $PSCmdlet $_.Exception.Message $id 'ConnectionError' $_.Exception }
        $key, $issuer = $metadata.Certificate, $metadata.Issuer
    } else {
        $key, $issuer = [Convert]::ToBase64String($Certificate.RawData), $RegisteredIssuerName
    }
    $same = @((Read-Farm).issuers | Where-Object { $_.name -eq $Name -or $_.certificate -eq $key })
    if ($same.Count -gt 0) {
        $message = if ($same[0].name -eq $Name) { "An object of the type Microsoft.SharePoint.Administration.Claims.SPTrustedSecurityTokenService named `"$Name`" already exists under the parent Microsoft.SharePoint.Administration.Claims.SPSecurityTokenServiceManager named `"SecurityTokenServiceManager`". Rename your object or delete the existing object." }
        else { 'The trusted certificate is already registered by another trusted token issuer.' }
        return Write-Failure $PSCmdlet $message $id 'ResourceExists' ([ArgumentException]::new($message))
    }
    Edit-Farm "New-SPTrustedSecurityTokenIssuer $Name" {
        param($farm)
        $farm.issuers = @($farm.issuers) + [pscustomobject] [ordered] @{
            id = "$(ConvertTo-Guid "issuer $Name")"
            name = $Name
            registered_issuer_name = $issuer
            # The object has no property for a trust broker, but this one, the other way round.
            is_self_issuer = -not $IsTrustBroker
            metadata_endpoint = if ($MetadataEndPoint) { $MetadataEndPoint.OriginalString } else { $null }
            certificate = $key
            description = $Description
        }
    }
    return Get-SPTrustedSecurityTokenIssuer -Identity $Name
}

function Set-SPTrustedSecurityTokenIssuer {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline)] $Identity,
        [uri] $MetadataEndPoint,
        [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,
        [switch] $IsTrustBroker,
        [string] $Description,
        $AssignmentCollection
    )
    process {
        Assert-Farm $PSCmdlet
        $issuer = Get-SPTrustedSecurityTokenIssuer -Identity $Identity
        if (-not $issuer -or -not $PSCmdlet.ShouldProcess($issuer.Name)) { return }
        $bound = $PSBoundParameters
        Edit-Farm "Set-SPTrustedSecurityTokenIssuer $($issuer.Name)" {
            param($farm)
            $one = $farm.issuers | Where-Object { $_.name -eq $issuer.Name }
            if ($bound.ContainsKey('MetadataEndPoint')) { $one.metadata_endpoint = $MetadataEndPoint.OriginalString }
            if ($bound.ContainsKey('Certificate')) { $one.certificate = [Convert]::ToBase64String($Certificate.RawData) }
            if ($bound.ContainsKey('IsTrustBroker')) { $one.is_self_issuer = -not $IsTrustBroker }
            if ($bound.ContainsKey('Description')) { $one.description = $Description }
        }
    }
}

function Remove-SPTrustedSecurityTokenIssuer {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline)] $Identity,
        $AssignmentCollection
    )
    process {
        Assert-Farm $PSCmdlet
        $issuer = Get-SPTrustedSecurityTokenIssuer -Identity $Identity
        if (-not $issuer -or -not $PSCmdlet.ShouldProcess($issuer.Name)) { return }
        Edit-Farm "Remove-SPTrustedSecurityTokenIssuer $($issuer.Name)" {
            param($farm)
            $farm.issuers = @($farm.issuers | Where-Object { $_.name -ne $issuer.Name })
        }
    }
}

# --- Root certificates that the farm trusts --------------------------------------------------------------

function Get-SPTrustedRootAuthority {
    [CmdletBinding()] param([Parameter(Position = 0, ValueFromPipeline)] [string] $Identity, $AssignmentCollection)
    process {
        Assert-Farm $PSCmdlet
        $found = @((Read-Farm).root_authorities | Where-Object { -not $Identity -or $_.name -eq $Identity })
        if ($Identity -and $found.Count -eq 0) {
            return Write-Failure $PSCmdlet "Cannot find an SPTrustedRootAuthority object with Id or Name: $Identity." `
                'Microsoft.SharePoint.PowerShell.SPCmdletGetTrustedRootAuthority' 'ObjectNotFound'
        }
        $found | ForEach-Object {
            [SPTrustedRootAuthority] @{ Name = $_.name; Certificate = ConvertTo-Certificate $_.certificate; Id = $_.id }
        }
    }
}

function New-SPTrustedRootAuthority {
    [CmdletBinding(SupportsShouldProcess)] param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Parameter(Mandatory)] [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,
        $AssignmentCollection
    )
    Assert-Farm $PSCmdlet
    if ((Read-Farm).root_authorities | Where-Object { $_.name -eq $Name }) {
        $message = "A trusted root authority named `"$Name`" already exists."
        return Write-Failure $PSCmdlet $message 'Microsoft.SharePoint.PowerShell.SPCmdletNewTrustedRootAuthority' 'ResourceExists' `
            ([ArgumentException]::new($message))
    }
    if (-not $PSCmdlet.ShouldProcess($Name)) { return }
    Edit-Farm "New-SPTrustedRootAuthority $Name" {
        param($farm)
        $farm.root_authorities = @($farm.root_authorities) + [pscustomobject] [ordered] @{
            id = "$(ConvertTo-Guid "root $Name")"; name = $Name; certificate = [Convert]::ToBase64String($Certificate.RawData)
        }
    }
    return Get-SPTrustedRootAuthority -Identity $Name
}

function Remove-SPTrustedRootAuthority {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline)] $Identity,
        $AssignmentCollection
    )
    process {
        Assert-Farm $PSCmdlet
        $name = if ($Identity -is [SPTrustedRootAuthority]) { $Identity.Name } else { "$Identity" }
        if (-not (Get-SPTrustedRootAuthority -Identity $name) -or -not $PSCmdlet.ShouldProcess($name)) { return }
        Edit-Farm "Remove-SPTrustedRootAuthority $name" {
            param($farm)
            $farm.root_authorities = @($farm.root_authorities | Where-Object { $_.name -ne $name })
        }
    }
}
