//! The practice farm, with a real PowerShell: what each cmdlet does, what it refuses, and what goes wrong on demand.

use serde_json::json;

use super::bench::{Bench, OBJECT, TENANT};
use crate::support::Outcome;

/// The beginning of scripts: errors end them, and lines are said plainly.
const STRICT: &str = "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; $PSStyle.OutputRendering = 'PlainText'\n";

/// Carries a script out that must succeed, and gives the lines that it printed.
#[track_caller]
fn lines(bench: &Bench, script: &str) -> Option<Vec<String>> {
    let outcome = bench.powershell(&format!("{STRICT}{script}"))?.code(0);
    assert_eq!(outcome.stderr, "");
    Some(outcome.stdout.lines().map(str::to_owned).collect())
}

/// Carries a script out that must fail.
#[track_caller]
fn fails(bench: &Bench, script: &str, why: &str) -> Option<Outcome> {
    let outcome = bench
        .powershell(&format!("{STRICT}try {{ {script} }} catch {{ \"$_\"; exit 7 }}"))?
        .code(7);
    Some(outcome.prints(why))
}

const REGISTER: &str = "
    $site = Get-SPSite -Identity http://sharepoint
    $name = 'a2c1f0de-1111-4444-8888-5c5c5c5c5c5c@00fceb75-246c-4ac4-a0ad-7124aaaaaaaa'
    $principal = Register-SPAppPrincipal -Site $site.RootWeb -NameIdentifier $name -DisplayName 'SharePoint Online'
    $site.Dispose()
";

const TRUST: &str = "
    Set-SPAuthenticationRealm -Realm 00FCEB75-246C-4ac4-a0ad-7124aaaaaaaa -Confirm:$false 3>$null
    $null = New-SPAzureAccessControlServiceApplicationProxy -Name ACS -MetadataServiceEndpointUri $env:ENDPOINT -DefaultProxyGroup -Confirm:$false
    $null = New-SPTrustedSecurityTokenIssuer -MetadataEndpoint $env:ENDPOINT -IsTrustBroker:$true -Name ACS -Confirm:$false
";

#[test]
fn everything_that_is_read() {
    let bench = Bench::new(&[]);
    let script = "
        $farm = Get-SPFarm
        $farm.Id.ToString(); $farm.BuildVersion.Major; @(Get-SPServer).Name -contains 'localhost'
        (Get-SPWebApplication http://sharepoint).DisplayName
        $site = Get-SPSite http://sharepoint; $site.RootWeb.Url; $site.Dispose()
        foreach ($url in 'http://sharepoint', 'https://kerberos.adventureworks.com') {
            $p = Get-SPAuthenticationProvider -WebApplication $url -Zone Default; $p.ClaimProviderName, $p.DisableKerberos -join ' '
        }
        @(Get-SPAuthenticationProvider -WebApplication https://classic.adventureworks.com -Zone Default).Count
        $certificate = (Get-SPSecurityTokenServiceConfig).LocalLoginProvider.SigningCertificate
        $certificate.HasPrivateKey; $certificate.NotAfter.ToUniversalTime().Year
        Get-SPAuthenticationRealm
        @(Get-SPServiceApplicationProxy | Where-Object { $_.TypeName -like 'App Management*' }).Count
        (Get-SPServiceApplicationProxyGroup -Default).DefaultProxies.Count
        @(Get-SPTrustedSecurityTokenIssuer).Count; @(Get-SPWorkflowServiceApplicationProxy).Count; @(Get-SPAppInstance).Count
        (Get-SPTimerJob | Where-Object Name -match RefreshMetadataFeed).Name
    ";
    let Some(said) = lines(&bench, script) else { return };
    assert_eq!(
        said,
        [
            "5b8c9a0e-3d0f-4c1e-9a57-1f6f0f4d2b11",
            "16",
            "True",
            "SharePoint - 80",
            "http://sharepoint",
            "AD True",
            "AD False",
            "0",
            "False",
            "9999",
            "5b8c9a0e-3d0f-4c1e-9a57-1f6f0f4d2b11",
            "1",
            "4",
            "0",
            "0",
            "0",
            "RefreshMetadataFeed"
        ]
    );
    assert_eq!(bench.calls("farm"), [""; 0], "nothing was changed");
}

#[test]
fn the_whole_trust_is_made_and_undone_to_the_byte() {
    let bench = Bench::new(&[]);
    let untouched = bench.project.read("practice/farm.json");
    let script = format!(
        "
        $config = Get-SPSecurityTokenServiceConfig; $config.AllowOAuthOverHttp = $true; $config.Update()
        {REGISTER} {TRUST}
        (Get-SPSecurityTokenServiceConfig).AllowOAuthOverHttp
        Get-SPAuthenticationRealm
        $principal.DisplayName; $principal.NameIdentifier.EndsWith($name)
        $type = 'Microsoft.SharePoint.Administration.SPAzureAccessControlServiceApplicationProxy'
        $proxy = Get-SPServiceApplicationProxy | Where-Object {{ $_.GetType().FullName -eq $type }}
        $proxy.MetadataEndpointUri.OriginalString -eq $env:ENDPOINT
        (Get-SPServiceApplicationProxyGroup -Default).DefaultProxies.Id -contains $proxy.Id
        $issuer = Get-SPTrustedSecurityTokenIssuer
        $issuer.RegisteredIssuerName; $issuer.IsSelfIssuer; $null -ne $issuer.SigningCertificate
    "
    );
    let Some(said) = lines(&bench, &script) else {
        return;
    };
    let registered = format!("00000001-0000-0000-c000-000000000000@{TENANT}");
    assert_eq!(
        said,
        [
            "True",
            TENANT,
            "SharePoint Online",
            "True",
            "True",
            "True",
            &registered,
            "False",
            "True"
        ]
    );

    // In another process, as a rollback is.
    lines(&bench, "
        Remove-SPTrustedSecurityTokenIssuer -Identity ACS -Confirm:$false
        Get-SPServiceApplicationProxy ACS | Remove-SPServiceApplicationProxy -RemoveData -Confirm:$false
        Set-SPAuthenticationRealm -Realm (Get-SPFarm).Id -Confirm:$false 3>$null
        $site = Get-SPSite http://sharepoint
        $name = [Microsoft.SharePoint.SPAppPrincipalName]::CreateFromNameIdentifier('a2c1f0de-1111-4444-8888-5c5c5c5c5c5c@00fceb75-246c-4ac4-a0ad-7124aaaaaaaa')
        $manager = [Microsoft.SharePoint.SPAppPrincipalManager]::GetManager($site.RootWeb)
        $principal = $manager.LookupAppPrincipal([Microsoft.SharePoint.SPAppPrincipalIdentityProvider]::External, $name)
        $manager.DeleteAppPrincipal($principal)
        $config = Get-SPSecurityTokenServiceConfig; $config.AllowOAuthOverHttp = $false; $config.Update()
    ");
    assert_eq!(bench.project.read("practice/farm.json"), untouched);
    assert_eq!(bench.calls("farm").len(), 11, "{:?}", bench.calls("farm"));
}

#[test]
fn what_is_there_already_or_not_at_all_is_an_error_like_the_real_ones() {
    let bench = Bench::new(&[]);
    if lines(&bench, &format!("{REGISTER} {TRUST}")).is_none() {
        return;
    }
    let farm = bench.project.read("practice/farm.json");
    let twice = format!("
        $seen = @()
        $try = {{ try {{ & $args[0]; $script:seen += 'no error' }} catch {{ $script:seen += $_.Exception.GetType().Name + ': ' + $_ }} }}
        . $try {{ {REGISTER} }} 3>$null
        . $try {{ New-SPAzureAccessControlServiceApplicationProxy -Name ACS -MetadataServiceEndpointUri $env:ENDPOINT -Confirm:$false }}
        . $try {{ New-SPTrustedSecurityTokenIssuer -Name ACS -MetadataEndPoint $env:ENDPOINT -IsTrustBroker -Confirm:$false }}
        . $try {{ New-SPTrustedSecurityTokenIssuer -Name ACS2 -MetadataEndPoint $env:ENDPOINT -IsTrustBroker -Confirm:$false }}
        . $try {{ Remove-SPTrustedSecurityTokenIssuer -Identity Nobody -Confirm:$false }}
        . $try {{ Get-SPServiceApplicationProxy Nobody }}
        . $try {{ Get-SPSite https://nowhere.example }}
        . $try {{ Get-SPAppPrincipal -NameIdentifier 'x@y' -Site x }}
        . $try {{ Register-SPAppPrincipal -Site x -NameIdentifier 'no name' -DisplayName x }}
        . $try {{ New-SPTrustedSecurityTokenIssuer -Name Far -MetadataEndPoint https://accounts.accesscontrol.windows.net/x -IsTrustBroker -Confirm:$false }}
        . $try {{ Get-SPAuthenticationProvider -WebApplication http://sharepoint -Zone Elsewhere }}
        . $try {{ Restart-Service Spooler }}
        . $try {{ Install-Module PSReadLine -Force }}
        $seen
    ");
    let said = lines(&bench, &twice).unwrap();
    let expected = [
        "InvalidOperationException: The app principal is registered already.",
        "InvalidOperationException: An object of the type",
        "ArgumentException: An object of the type",
        "ArgumentException: The trusted certificate is already registered",
        "InvalidOperationException: Cannot find an SPTrustedSecurityTokenIssuer object with Id or Name: Nobody.",
        "InvalidOperationException: Cannot find an SPServiceApplicationProxy object",
        "InvalidOperationException: Cannot find an SPSite object with Id or Url: https://nowhere.example.",
        "InvalidOperationException: The app principal could not be found.",
        "ArgumentException: The name identifier 'no name' is not valid.",
        "RuntimeException: the practice farm reaches this machine only, not https://accounts.accesscontrol",
        "ParameterBindingValidationException: ",
        "InvalidOperationException: Cannot find any service with service name 'Spooler'.",
        "InvalidOperationException: No match was found",
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
    assert_eq!(
        bench.project.read("practice/farm.json"),
        farm,
        "nothing was changed"
    );
}

#[test]
fn errors_end_a_script_only_where_it_says_so() {
    let bench = Bench::new(&[]);
    let script = "
        $ErrorActionPreference = 'Continue'
        Get-SPSite https://nowhere.example 2>$null
        Get-SPAppPrincipal -NameIdentifier 'x@y' -Site x -ErrorAction SilentlyContinue
        'still here'
        function Inner { $ErrorActionPreference = 'Stop'; Get-SPSite https://nowhere.example; 'too far' }
        try { Inner } catch { 'ended' }
    ";
    let Some(said) = lines(&bench, script) else { return };
    assert_eq!(said, ["still here", "ended"]);
}

#[test]
fn what_removes_something_asks_and_what_only_looks_changes_nothing() {
    let bench = Bench::new(&[]);
    if lines(&bench, TRUST).is_none() {
        return;
    }
    let farm = bench.project.read("practice/farm.json");
    fails(
        &bench,
        "Remove-SPTrustedSecurityTokenIssuer ACS",
        "NonInteractive",
    );
    fails(
        &bench,
        "Get-SPServiceApplicationProxy ACS | Remove-SPServiceApplicationProxy -RemoveData",
        "NonInteractive",
    );
    let what_if = "Set-SPAuthenticationRealm -Realm x -WhatIf; Remove-SPTrustedSecurityTokenIssuer ACS -WhatIf; Restart-Service SPTimerV4 -WhatIf";
    lines(&bench, what_if);
    assert_eq!(bench.project.read("practice/farm.json"), farm);
}

#[test]
fn a_change_of_what_somebody_else_changed_is_a_conflict() {
    let bench = Bench::new(&[]);
    let script = "
        $mine = Get-SPSecurityTokenServiceConfig
        $theirs = Get-SPSecurityTokenServiceConfig; $theirs.AllowMetadataOverHttp = $true; $theirs.Update()
        $mine.AllowOAuthOverHttp = $true
        $mine.Update()
    ";
    if fails(
        &bench,
        script,
        "An update conflict has occurred, and you must re-try this action",
    )
    .is_none()
    {
        return;
    }
    assert_eq!(bench.farm()["sts"]["allow_oauth_over_http"], false);
    assert_eq!(bench.farm()["sts"]["allow_metadata_over_http"], true);

    bench.fault(&["farm-update-conflict"]);
    let change =
        "$config = Get-SPSecurityTokenServiceConfig; $config.AllowOAuthOverHttp = $true; $config.Update()";
    fails(&bench, change, "you must re-try this action");
    lines(&bench, change);
    assert_eq!(bench.farm()["sts"]["allow_oauth_over_http"], true);
}

#[test]
fn a_cmdlet_fails_half_way_and_a_farm_cannot_be_reached() {
    let bench = Bench::new(&["--fault", "farm-half-way"]);
    if fails(&bench, TRUST, "failed after it had changed the farm").is_none() {
        return;
    }
    assert_eq!(bench.farm()["realm"], TENANT, "it was changed");
    bench.fault(&["farm-half-way"]);
    let proxy = "New-SPAzureAccessControlServiceApplicationProxy -Name ACS -MetadataServiceEndpointUri $env:ENDPOINT -DefaultProxyGroup -Confirm:$false";
    fails(&bench, proxy, "failed after it had changed the farm");
    let last = bench.farm()["proxies"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&last["name"], &last["default"]),
        (&json!("ACS"), &json!(false)),
        "nothing uses it"
    );
    lines(
        &bench,
        "Add-SPServiceApplicationProxyGroupMember -Identity (Get-SPServiceApplicationProxyGroup -Default) -Member (Get-SPServiceApplicationProxy ACS) -Confirm:$false",
    );
    assert_eq!(
        bench.farm()["proxies"].as_array().unwrap().last().unwrap()["default"],
        true
    );

    bench.fault(&["farm-not-accessible"]);
    fails(
        &bench,
        "Get-SPFarm",
        "The local farm is not accessible. Cmdlets with FeatureDependencyId are not registered.",
    );
    fails(
        &bench,
        "Get-SPAuthenticationRealm",
        "The local farm is not accessible.",
    );
    bench.fault(&["--off"]);
    lines(&bench, "$null = Get-SPFarm");
}

#[test]
fn many_processes_change_the_farm_and_none_is_lost() {
    let bench = Bench::new(&[]);
    if lines(&bench, "$null = Get-SPFarm").is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for process in 0..3 {
            let bench = &bench;
            scope.spawn(move || {
                let script = format!("
                    $certificate = (Get-SPSecurityTokenServiceConfig).LocalLoginProvider.SigningCertificate
                    foreach ($i in 1..8) {{ $null = New-SPTrustedRootAuthority -Name \"root {process} $i\" -Certificate $certificate; Restart-Service SPTimerV4 }}
                ");
                lines(bench, &script);
            });
        }
    });
    assert_eq!(bench.farm()["root_authorities"].as_array().unwrap().len(), 24);
    assert_eq!(bench.calls("farm").len(), 48);
    lines(
        &bench,
        "Get-SPTrustedRootAuthority | ForEach-Object { Remove-SPTrustedRootAuthority $_ -Confirm:$false }",
    );
    assert_eq!(bench.farm()["root_authorities"], json!([]));
}

#[test]
fn older_versions_have_a_snap_in() {
    let bench = Bench::new(&["--farm-version", "2016"]);
    let script = "
        [bool] (Get-Command Get-SPFarm -ErrorAction SilentlyContinue)
        Add-PSSnapin Microsoft.SharePoint.PowerShell
        (Get-SPFarm).BuildVersion.Major
        try { Add-PSSnapin Something.Else } catch { 'not installed' }
    ";
    let Some(said) = lines(&bench, script) else { return };
    assert_eq!(said, ["False", "16", "not installed"]);
    let newest = Bench::new(&[]);
    fails(
        &newest,
        "Add-PSSnapin Microsoft.SharePoint.PowerShell",
        "not recognized",
    );
}

#[test]
fn modules_are_installed_into_the_folder_and_taken_away_again() {
    let bench = Bench::new(&[]);
    let script = "
        @(Get-Module -ListAvailable -Name Microsoft.Graph.Applications).Count
        Install-Module -Name Microsoft.Graph.Applications -Repository PSGallery -Scope AllUsers -Force -AllowClobber -Confirm:$false
        $module = Get-Module -ListAvailable -Name Microsoft.Graph.Applications
        $module.Version.ToString()
        Uninstall-Module -Name $module.Name -RequiredVersion $module.Version -Force -Confirm:$false
        @(Get-Module -ListAvailable -Name Microsoft.Graph.Applications).Count
    ";
    let Some(said) = lines(&bench, script) else { return };
    assert_eq!(said, ["0", "2.30.0", "0"]);
    assert!(
        !bench
            .folder()
            .join("modules/Microsoft.Graph.Applications")
            .exists()
    );
}

#[test]
fn permissions_certificates_and_services() {
    let bench = Bench::new(&[]);
    let script = format!(
        "{REGISTER}
        Set-SPAppPrincipalPermission -AppPrincipal $principal -Site x -Scope SiteCollection -Right FullControl
        Remove-SPAppPrincipalPermission -AppPrincipal $principal -Site x -Scope SiteCollection -Confirm:$false
        (Get-Service SPTimerV4).Status
        Restart-Service -Name SPTimerV4, SPAdminV4 -Force -Confirm:$false
        $null = iisreset; $LASTEXITCODE
        Start-SPTimerJob RefreshMetadataFeed
        $certificate = (Get-SPSecurityTokenServiceConfig).LocalLoginProvider.SigningCertificate
        try {{ Set-SPSecurityTokenServiceConfig -ImportSigningCertificate $certificate }} catch {{ \"$_\" }}
    "
    );
    let Some(said) = lines(&bench, &script) else {
        return;
    };
    assert_eq!(said[..2], ["Running", "0"]);
    assert!(said[2].contains("private key"), "{said:?}");
    assert_eq!(bench.farm()["app_principals"][0]["permissions"], json!([]));
    let name = bench.farm()["app_principals"][0]["name_identifier"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(name.ends_with(&format!("|{OBJECT}@{TENANT}")), "{name}");
    let calls = bench.calls("farm");
    assert!(
        calls.iter().any(|call| call == "Restart-Service SPAdminV4"),
        "{calls:?}"
    );
}
