# The old name of `trainyard submit --on k8s`. -Script and -Image wait for that tier: until then it says that it is not there.
param([string]$Script, [string]$ModelName = "yolo11n", [int]$NumEpochs = 10, [string]$Framework = "ultralytics", [string]$Image, [switch]$Watch)
$more = @($(if ($Watch) { "--watch" }))
& "$PSScriptRoot/trainyard.ps1" submit --on k8s --framework $Framework --model $ModelName --epochs $NumEpochs @more
exit $LASTEXITCODE
