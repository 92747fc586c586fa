# The old name of `trainyard train`.
param([string]$Script, [string]$ModelName = "yolo11n", [int]$NumEpochs = 10, [string]$Framework = "ultralytics")
$file = @($Script | Where-Object { $_ })
& "$PSScriptRoot/trainyard.ps1" train @file --framework $Framework --model $ModelName --epochs $NumEpochs
exit $LASTEXITCODE
