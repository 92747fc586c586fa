# The old name of `trainyard build`.
param([string]$Target = "ultralytics", [string]$Tag, [switch]$Push)
$more = @($(if ($Tag) { "--tag", $Tag })) + $(if ($Push) { "--push" })
& "$PSScriptRoot/trainyard.ps1" build $Target @more
exit $LASTEXITCODE
