# The old name of `trainyard up --detach`. Nothing is built that is there, so -SkipBuild changes nothing.
param([switch]$SkipBuild)
& "$PSScriptRoot/trainyard.ps1" up --detach
exit $LASTEXITCODE
