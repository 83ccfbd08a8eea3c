@{
    RootModule = 'SharePointServer.psm1'
    ModuleVersion = '0.1.0'
    GUID = '6f0c2d3e-6a41-4bb2-9d8e-2f1a4f6f7c10'
    Description = 'Stands in for SharePoint Server: a farm to practise on, made by `runbook practice`'
    PowerShellVersion = '7.2'
    CompatiblePSEditions = @('Core')
    CmdletsToExport = @()
    AliasesToExport = @()
    VariablesToExport = @()
    FunctionsToExport = @(
        'Add-SPServiceApplicationProxyGroupMember', 'Get-SPAppInstance', 'Get-SPAppPrincipal', 'Get-SPAuthenticationProvider',
        'Get-SPAuthenticationRealm', 'Get-SPFarm', 'Get-SPProduct', 'Get-SPSecurityTokenServiceConfig', 'Get-SPServer',
        'Get-SPServiceApplication', 'Get-SPServiceApplicationProxy', 'Get-SPServiceApplicationProxyGroup', 'Get-SPSite',
        'Get-SPTimerJob', 'Get-SPTrustedRootAuthority', 'Get-SPTrustedSecurityTokenIssuer', 'Get-SPWebApplication',
        'Get-SPWorkflowServiceApplicationProxy', 'New-SPAzureAccessControlServiceApplicationProxy', 'New-SPTrustedRootAuthority',
        'New-SPTrustedSecurityTokenIssuer', 'Register-SPAppPrincipal', 'Remove-SPAppPrincipalPermission',
        'Remove-SPServiceApplicationProxy', 'Remove-SPServiceApplicationProxyGroupMember', 'Remove-SPTrustedRootAuthority',
        'Remove-SPTrustedSecurityTokenIssuer', 'Set-SPAppPrincipalPermission', 'Set-SPAuthenticationRealm',
        'Set-SPSecurityTokenServiceConfig', 'Set-SPTrustedSecurityTokenIssuer', 'Start-SPAssignment', 'Start-SPTimerJob',
        'Stop-SPAssignment'
    )
}
