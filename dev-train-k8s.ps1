# The old name of `trainyard train --on k8s`.
param([string]$Script, [string]$ModelName = "yolo11n", [int]$NumEpochs = 10, [string]$Framework = "ultralytics", [string]$Image, [switch]$Watch)
$file = @($Script | Where-Object { $_ })
$more = @($(if ($Image) { "--image", $Image })) + $(if ($Watch) { "--watch" })
& "$PSScriptRoot/trainyard.ps1" train @file --on k8s --framework $Framework --model $ModelName --epochs $NumEpochs @more
exit $LASTEXITCODE
