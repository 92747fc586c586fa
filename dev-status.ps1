# The old name of `trainyard status`.
param([switch]$Watch)
$more = @($(if ($Watch) { "--watch" }))
& "$PSScriptRoot/trainyard.ps1" status @more
exit $LASTEXITCODE
