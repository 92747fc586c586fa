"""What a trainer's predict.py answers, checked: it is another program, and its model may be anybody's."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trainyard.errors import TrainyardError

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Pixel = Annotated[float, Field(allow_inf_nan=False)]
Label = Annotated[str, Field(min_length=1, max_length=500)]
MOST = 20_000  # predictions of one answer


class PredictionFailed(TrainyardError):
    """The trainer's own program failed at it, or said nothing that can be used."""

    code = "prediction_failed"
    status = 502


class Prediction(BaseModel):
    """One thing seen on one picture."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input: str
    label: Label
    confidence: Share
    box: tuple[Pixel, Pixel, Pixel, Pixel] | None = None
    scores: dict[Label, Share] | None = Field(None, max_length=1000)


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    predictions: list[Prediction] = Field(max_length=MOST)
    seconds: float | None = Field(None, ge=0, allow_inf_nan=False)


class Said(BaseModel):
    """An error in a trainer's own words."""

    type: str = "Error"
    message: str = ""


def read_answer(body: object, keys: list[str], who: str) -> Answer:
    """Raises PredictionFailed where it is an error, or nothing that the contract knows."""
    if isinstance(body, dict) and "error" in body:
        try:
            said = Said.model_validate(body["error"])
        except ValidationError:
            said = Said(message="it did not say what")
        raise PredictionFailed(f"{who} failed at this: {said.type[:100]}: {said.message[:1000]}")
    try:
        answer = Answer.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise PredictionFailed(
            f"{who} answered what can't be used: {where}: {first['msg']}.",
            hint="It should print {predictions: [{input, label, confidence, box or scores}], count} as a line of JSON.",
        ) from None
    strange = next((one.input for one in answer.predictions if one.input not in keys), None)
    if strange is not None:
        raise PredictionFailed(f"{who} answered for a picture that it was not asked for: {strange[:200]!r}.")
    return answer
