# The old name of `trainyard status`.
param([switch]$Watch)
& "$PSScriptRoot/trainyard.ps1" status $(if ($Watch) { "--watch" })
exit $LASTEXITCODE
