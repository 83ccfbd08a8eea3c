@{
    RootModule = 'PowerShellGet.psm1'
    ModuleVersion = '0.1.0'
    GUID = '5d4f8a8e-0f55-4d0e-8f0c-1d2b3c4d5e6f'
    Description = 'Stands in for PowerShellGet: installs empty modules into a practice folder, from nowhere'
    PowerShellVersion = '7.2'
    CompatiblePSEditions = @('Core')
    CmdletsToExport = @()
    AliasesToExport = @()
    VariablesToExport = @()
    FunctionsToExport = @('Install-Module', 'Uninstall-Module', 'Get-InstalledModule', 'Install-PackageProvider', 'Get-PackageProvider')
}
