# The old name of `trainyard build`.
param([string]$Target = "ultralytics", [string]$Tag, [switch]$Push, [switch]$Load, [string]$Archive)
$more = @($(if ($Tag) { "--tag", $Tag })) + $(if ($Push) { "--push" }) + $(if ($Load) { "--load" })
$more += @($(if ($Archive) { "--archive", $Archive }))
& "$PSScriptRoot/trainyard.ps1" build $Target @more
exit $LASTEXITCODE
