# What the cmdlets give: objects with the properties and methods that procedures use, and no more.

class SPWebApplication { [string] $Url; [string] $DisplayName; [bool] $UseClaimsAuthentication = $true }

class SPWeb { [string] $Url; [string] $Title; [void] Dispose() {} }

class SPSite {
    [string] $Url
    [SPWeb] $RootWeb
    [SPWebApplication] $WebApplication
    [void] Dispose() {}
}

class SPServer { [string] $Name; [string] $Address; [string] $Role; [string] $Status = 'Online' }

class SPFarm {
    [guid] $Id
    [string] $Name
    [version] $BuildVersion
    [string] $Status = 'Online'
    [SPServer[]] $Servers
}

class SPAuthenticationProvider {
    [string] $DisplayName
    [string] $ClaimProviderName
    [bool] $DisableKerberos
    [bool] $AllowAnonymous
    [bool] $UseWindowsIntegratedAuthentication
    [bool] $UseBasicAuthentication
}

class SPLocalLoginProvider { [string] $DisplayName = 'SharePoint'; [object] $SigningCertificate }

class SPSecurityTokenServiceManager {
    [bool] $AllowOAuthOverHttp
    [bool] $AllowMetadataOverHttp
    [string] $NameIdentifier
    [SPLocalLoginProvider] $LocalLoginProvider = [SPLocalLoginProvider]::new()
    hidden [string] $Read

    # Nobody may have changed the object since it was read.
    [void] Update() {
        $manager = $this
        Edit-Farm 'SPSecurityTokenServiceManager.Update' {
            param($farm)
            if ((ConvertTo-Json $farm.sts) -cne $manager.Read) {
                throw (New-Conflict 'SPSecurityTokenServiceManager Name=SecurityTokenServiceManager')
            }
            $farm.sts.allow_oauth_over_http = $manager.AllowOAuthOverHttp
            $farm.sts.allow_metadata_over_http = $manager.AllowMetadataOverHttp
            $farm.sts.name_identifier = $manager.NameIdentifier
            $manager.Read = ConvertTo-Json $farm.sts
        }
    }
}

class SPServiceApplicationProxy {
    [guid] $Id
    [string] $DisplayName
    [string] $Name
    [string] $TypeName
    [string] $Status = 'Online'
}

class SPAzureAccessControlServiceApplicationProxy : SPServiceApplicationProxy { [uri] $MetadataEndpointUri }

class SPServiceApplicationProxyGroup {
    [string] $Name
    [string] $FriendlyName
    [SPServiceApplicationProxy[]] $DefaultProxies
    [SPServiceApplicationProxy[]] $Proxies
}

class SPServiceApplication { [guid] $Id; [string] $DisplayName; [string] $TypeName; [string] $Status = 'Online' }

class SPTrustedSecurityTokenIssuer {
    [string] $Name
    [string] $RegisteredIssuerName
    [bool] $IsSelfIssuer
    [uri] $MetadataEndPoint
    [object] $SigningCertificate
    [string] $Description
    [guid] $Id
}

class SPTrustedRootAuthority { [string] $Name; [object] $Certificate; [guid] $Id }

class SPAppPrincipal { [string] $DisplayName; [string] $NameIdentifier }

class SPAppPrincipalName {
    [string] $NameIdentifier
    static [SPAppPrincipalName] CreateFromNameIdentifier([string] $NameIdentifier) {
        return [SPAppPrincipalName] @{ NameIdentifier = $NameIdentifier }
    }
}

enum SPAppPrincipalIdentityProvider { External = 2 }

class SPAppPrincipalManager {
    static [SPAppPrincipalManager] GetManager([object] $Web) {
        if ($null -eq $Web) { throw [ArgumentNullException]::new('web') }
        return [SPAppPrincipalManager]::new()
    }

    [object] LookupAppPrincipal([SPAppPrincipalIdentityProvider] $Provider, [SPAppPrincipalName] $Name) {
        Assert-AppManagement
        return Find-AppPrincipal (Read-Farm) $Name.NameIdentifier | ForEach-Object { ConvertTo-AppPrincipal $_ } |
            Select-Object -First 1
    }

    [void] DeleteAppPrincipal([SPAppPrincipal] $Principal) {
        Edit-Farm 'SPAppPrincipalManager.DeleteAppPrincipal' {
            param($farm)
            $farm.app_principals = @($farm.app_principals | Where-Object { $_.name_identifier -ne $Principal.NameIdentifier })
        }
    }
}

class SPTimerJob { [string] $Name; [string] $DisplayName }

class SPAppInstance { [guid] $Id; [string] $Title; [string] $LaunchUrl; [guid] $AppPrincipalId }

# PowerShell's own classes have no namespace. Where scripts name a type by its full name, there is one of that name.
function Register-TypeName([type] $Class, [string] $FullName) {
    $type = $Class
    if (-not $Class.IsEnum) {
        $assembly = [Reflection.AssemblyName]::new("Practice.$($Class.Name)")
        $builder = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($assembly, 'RunAndCollect')
        $builder = $builder.DefineDynamicModule($assembly.Name).DefineType($FullName, 'Public', $Class)
        $null = $builder.DefineDefaultConstructor('Public')
        $type = $builder.CreateType()
    }
    $names = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
    $null = $names::Remove($FullName)
    $names::Add($FullName, $type)
    return $type
}

$null = Register-TypeName ([SPAppPrincipalIdentityProvider]) 'Microsoft.SharePoint.SPAppPrincipalIdentityProvider'
$null = Register-TypeName ([SPAppPrincipalName]) 'Microsoft.SharePoint.SPAppPrincipalName'
$null = Register-TypeName ([SPAppPrincipalManager]) 'Microsoft.SharePoint.SPAppPrincipalManager'
$script:AcsProxyType = Register-TypeName ([SPAzureAccessControlServiceApplicationProxy]) `
    'Microsoft.SharePoint.Administration.SPAzureAccessControlServiceApplicationProxy'
