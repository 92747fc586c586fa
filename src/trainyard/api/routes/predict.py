"""Inference: pictures in, what a job's checkpoint sees in them out."""

import asyncio
import base64
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from trainyard.api.access import JobMember, ThePlatform
from trainyard.api.failures import in_words, responses
from trainyard.api.platform import Platform
from trainyard.contract.keys import CHECKPOINT_KIND_PATTERN
from trainyard.errors import InvalidInput, Unavailable
from trainyard.identity.rights import Principal
from trainyard.jobs.foreign_code import require_own_code
from trainyard.predictions.service import Asked, Seen

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(400, 401, 403, 413, 415, 421, 422, 503))
MOST_PICTURES = 16
PictureName = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class PictureIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: PictureName = ""
    data: str = Field(description="JPEG, PNG, WebP, BMP, GIF or TIFF, in base64")


class PredictRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pictures: list[PictureIn] = Field(min_length=1, max_length=MOST_PICTURES)
    confidence: float | None = Field(None, ge=0, le=1, description="Leave out what is less sure; null: the trainer's")
    checkpoint: str | None = Field(
        None, pattern=CHECKPOINT_KIND_PATTERN, description="best, last or epoch-N; null: best, or last if there is none"
    )
    overlay: bool = Field(True, description="Also answer with the pictures, drawn on")


class PredictionOut(BaseModel):
    picture: int = Field(description="Its place in the request, from 0")
    name: str
    label: str
    confidence: float
    box: tuple[float, float, float, float] | None = Field(
        None, description="Left, top, right, bottom in pixels of the upright picture"
    )
    scores: dict[str, float] | None = Field(None, description="The likeliest classes of a classifier")


class PictureOut(BaseModel):
    name: str
    width: int = Field(description="Of the picture as a person sees it, turned as its EXIF says")
    height: int
    overlay: str | None = Field(description="data:image/jpeg;base64,…")


class Seconds(BaseModel):
    model: float | None = Field(description="The trainer's own count, without loading and transport")
    total: float


class PredictOut(BaseModel):
    checkpoint: str
    note: str = Field(description="Where it is not the checkpoint that was meant: which one it is")
    warm: bool = Field(description="The model was loaded already")
    seconds: Seconds
    predictions: list[PredictionOut]
    count: int
    pictures: list[PictureOut]


def _body() -> dict[str, Any]:
    """As one schema: FastAPI collects definitions only of bodies that it reads itself."""
    schema = PredictRequest.model_json_schema()
    schema["properties"]["pictures"]["items"] = schema.pop("$defs")["PictureIn"]
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "/{job_id}/predict",
    response_model=PredictOut,
    responses=responses(404, 409, 502),
    openapi_extra=_body(),
)
async def predict(
    request: Request, job_id: Annotated[str, Path(max_length=60)], platform: ThePlatform, user: JobMember
) -> Response:
    """Show one or several pictures to a checkpoint. The first call loads the model; later ones find it loaded.

    The checkpoint of a job that ran code of its own, sent with it, is shown to by an administrator only."""
    service = platform.predictions
    with service.place():
        body = await request.body()
        work = partial(_predicted, platform, user, job_id.replace("\0", "\ufffd"), body)
        try:
            return await asyncio.get_running_loop().run_in_executor(service.workers, work)
        except asyncio.CancelledError:  # a shutdown waits for seconds, a model may think for minutes
            raise Unavailable("The backend is shutting down.", hint="Try again in a moment.") from None


def _predicted(platform: Platform, user: Principal, job_id: str, body: bytes) -> Response:
    """Everything that takes time, from reading the JSON to writing it: megabytes, in a thread."""
    if not user.administrator:
        require_own_code(platform.database, platform.catalog, job_id)
    try:
        wanted = PredictRequest.model_validate_json(body)
    except ValidationError as error:
        problem = in_words(error.errors(include_url=False, include_input=False))
        raise InvalidInput(problem.message, field=problem.field) from None
    pictures = [(one.name, one.data) for one in wanted.pictures]
    seen = platform.predictions.predict(job_id, Asked(pictures, wanted.confidence, wanted.checkpoint, wanted.overlay))
    return Response(_out(seen).model_dump_json(), media_type="application/json")


def _out(seen: Seen) -> PredictOut:
    predictions = [
        PredictionOut(
            picture=place,
            name=seen.pictures[place].name,
            label=one.label,
            confidence=one.confidence,
            box=one.box,
            scores=one.scores,
        )
        for place, one in seen.predictions
    ]
    pictures = [
        PictureOut(name=one.name, width=one.width, height=one.height, overlay=_data_url(drawn))
        for one, drawn in zip(seen.pictures, seen.overlays, strict=True)
    ]
    return PredictOut(
        checkpoint=seen.checkpoint,
        note=seen.note,
        warm=seen.warm,
        seconds=Seconds(model=seen.model_seconds, total=round(seen.total_seconds, 4)),
        predictions=predictions,
        count=len(predictions),
        pictures=pictures,
    )


def _data_url(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
