@{
    RootModule = 'PracticeSnapIn.psm1'
    ModuleVersion = '0.1.0'
    GUID = '0a5b7c61-55a1-4a34-9a0f-6f4d6a0b9e11'
    Description = 'Stands in for the snap-in that loads the cmdlets of SharePoint 2013, 2016 and 2019'
    PowerShellVersion = '7.2'
    CompatiblePSEditions = @('Core')
    CmdletsToExport = @()
    AliasesToExport = @()
    VariablesToExport = @()
    FunctionsToExport = @('Add-PSSnapin', 'Get-PSSnapin')
}
