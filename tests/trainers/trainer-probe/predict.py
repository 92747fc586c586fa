"""Shows pictures to a checkpoint of the tests: JSON that says how to behave, or a pickle, which is loaded as one."""

import io
import json
import os
import pickle
import signal
import sys
import time

import boto3
from botocore.config import Config
from PIL import Image

ENV = os.environ
CLIENT = boto3.client(
    "s3",
    endpoint_url=ENV["MINIO_ENDPOINT"],
    aws_access_key_id=ENV["MINIO_ACCESS_KEY"],
    aws_secret_access_key=ENV["MINIO_SECRET_KEY"],
    region_name="us-east-1",
    config=Config(s3={"addressing_style": "path"}),
)


def fetch(key: str) -> bytes:
    return CLIENT.get_object(Bucket=ENV["MINIO_BUCKET"], Key=key)["Body"].read()


def look(checkpoint: dict, keys: list[str], confidence: float) -> dict:
    """One prediction a picture: `label` may be pid, size or colour, which tell what this process sees."""
    began, predictions = time.perf_counter(), []
    for key in keys:
        picture = Image.open(io.BytesIO(fetch(key)))
        told = {
            "pid": str(os.getpid()),
            "size": f"{picture.width}x{picture.height} {picture.format} {picture.mode}",
            "colour": ",".join(map(str, picture.convert("RGB").getpixel((0, 0)))),
            "confidence": str(confidence),
        }
        one = {"input": key, "confidence": 0.9, "label": told.get(checkpoint.get("label"), checkpoint.get("label"))}
        if "box" in checkpoint:
            left, top, right, bottom = checkpoint["box"]
            width, height = picture.size
            one["box"] = [left * width, top * height, right * width, bottom * height]
        if "scores" in checkpoint:
            one["scores"] = checkpoint["scores"]
        if one["confidence"] >= confidence:
            predictions.append(one)
    return {"predictions": predictions, "count": len(predictions), "seconds": time.perf_counter() - began}


def misbehave(mode: str) -> None:
    match mode:
        case "crash":
            print(f"it broke with {ENV['MINIO_SECRET_KEY']} in its words", file=sys.stderr, flush=True)
            os._exit(3)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            if not os.fork():  # what it started is to end with it
                time.sleep(3600)
            print("it thinks", file=sys.stderr, flush=True)
            time.sleep(3600)
        case "chatter":
            print('50%\r100%\n{not json\n[1]\n{"id": "another", "predictions": []}\n' + "x" * 100_000, flush=True)


def answer(checkpoint: dict, request: dict) -> dict:
    confidence = 0.25 if request["confidence"] is None else request["confidence"]
    misbehave(checkpoint.get("mode", ""))
    if "raw" in checkpoint:
        return json.loads(json.dumps(checkpoint["raw"]).replace("KEY", request["input"][0]))
    return look(checkpoint, request["input"], confidence)


def main() -> None:
    data = fetch(ENV["CHECKPOINT"])
    checkpoint = pickle.loads(data) if data[:1] == b"\x80" else json.loads(data)
    if checkpoint.get("mode") == "never loads":
        raise ValueError("this checkpoint is no model")
    if ENV.get("PREDICT_SERVE") != "1":
        request = {"input": ENV["INPUT"].split(","), "confidence": float(ENV.get("CONFIDENCE", "0.25"))}
        print(json.dumps(answer(checkpoint, request)))
        return
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], **answer(checkpoint, request)}), flush=True)


if __name__ == "__main__":
    main()
