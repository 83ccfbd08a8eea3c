@{
    RootModule = 'PracticeServer.psm1'
    ModuleVersion = '0.1.0'
    GUID = '7b1f5b0c-0c0d-4f3a-8b52-93a3d8a1c0e4'
    Description = 'Stands in for the servers of a practice farm: their services, IIS and certificate stores'
    PowerShellVersion = '7.2'
    CompatiblePSEditions = @('Core')
    CmdletsToExport = @()
    AliasesToExport = @()
    VariablesToExport = @()
    FunctionsToExport = @(
        'Get-CimInstance', 'Get-Service', 'Import-PfxCertificate', 'Remove-Item', 'Restart-Service', 'Start-Service', 'Stop-Service', 'iisreset'
    )
}
