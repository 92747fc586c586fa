"""What was found in a dataset, and its pictures: looked at one by one before a GPU second is spent on them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from trainyard.api.access import DatasetMember, DatasetViewer, ThePlatform
from trainyard.api.failures import responses
from trainyard.datasets.browse import Pictures, Row
from trainyard.datasets.check.report import Code, Severity
from trainyard.datasets.model import CheckState

router = APIRouter(
    prefix="/v1/datasets/{dataset_id}", tags=["datasets"], responses=responses(400, 401, 403, 404, 409, 422)
)
DatasetId = Annotated[str, Path(max_length=64)]
Index = Annotated[int, Path(ge=0, le=10**9)]
LONGEST_SEARCH = 200
KEPT_BY_BROWSERS = {"Cache-Control": "private, max-age=86400, immutable"}  # its address names the content
HARMLESS = {"Content-Security-Policy": "default-src 'none'; sandbox"}  # it is anybody's file, on our origin


class ProblemFound(BaseModel):
    code: Code
    severity: Severity
    message: str
    count: int
    split: str | None
    files: list[str] = Field(description="The first of them; a label's line follows a colon")


class SplitFound(BaseModel):
    pictures: int
    labelled: int
    empty: int = Field(description="Pictures whose label says that nothing is there")
    boxes: int
    share: float = Field(description="Of all pictures in splits, 0 to 1")


class ClassFound(BaseModel):
    id: int
    name: str
    pictures: dict[str, int] = Field(description="By split")
    boxes: dict[str, int]


class Sizes(BaseModel):
    """Width and height."""

    min: list[int]
    median: list[int]
    max: list[int]


class DatasetReport(BaseModel):
    """Empty but for its state and progress until the check is done."""

    dataset_id: str
    state: CheckState
    message: str = Field("", description="Why the check itself failed")
    progress: float
    done_pictures: int
    pictures: int
    errors: int
    warnings: int
    not_ready_because: list[str]
    problems: list[ProblemFound] = []
    splits: dict[str, SplitFound] = {}
    classes: list[ClassFound] = []
    formats: dict[str, int] = {}
    sizes: Sizes | None = None
    seconds: float | None = None
    checked_at: float | None = None


class LabelOfPicture(BaseModel):
    label: str
    box: list[float] | None = Field(description="Left, top, right, bottom as shares of the picture")


class DatasetPicture(BaseModel):
    index: int
    name: str
    split: str
    width: int | None = Field(description="None where it can't be read, or was not opened")
    height: int | None
    labels: list[LabelOfPicture]
    problems: list[Code]
    thumbnail_url: str
    url: str

    @classmethod
    def of(cls, dataset_id: str, version: str, row: Row) -> "DatasetPicture":
        at = f"/v1/datasets/{dataset_id}/pictures/{row.index}"
        labels = [LabelOfPicture(label=label, box=box) for label, box in row.labels]
        values = {name: getattr(row, name) for name in ("index", "name", "split", "width", "height", "problems")}
        return cls(**values, labels=labels, thumbnail_url=f"{at}/thumbnail?v={version}", url=f"{at}/file?v={version}")


class DatasetPictures(BaseModel):
    total: int = Field(description="That fit the filters")
    items: list[DatasetPicture]


def _report(dataset_id: str, platform: ThePlatform) -> DatasetReport:
    standing, report = platform.checks.report(dataset_id.replace("\0", "\ufffd"))
    return DatasetReport(
        **report,
        dataset_id=dataset_id,
        state=standing.state,
        progress=standing.progress,
        done_pictures=standing.done,
        pictures=standing.pictures,
        errors=standing.errors,
        warnings=standing.warnings,
        not_ready_because=standing.refusals,
    )


@router.get("/check")
def show_check(dataset_id: DatasetId, platform: ThePlatform, _user: DatasetViewer) -> DatasetReport:
    """What was found so far. `dataset_checking` and `dataset_checked` events tell when to look again."""
    return _report(dataset_id, platform)


@router.post("/check", status_code=202)
def check_again(dataset_id: DatasetId, platform: ThePlatform, _user: DatasetMember) -> DatasetReport:
    """Look at each picture again. What was found before is forgotten."""
    platform.checks.again(dataset_id.replace("\0", "\ufffd"))
    return _report(dataset_id, platform)


@router.get("/pictures", response_model=DatasetPictures, responses=responses(503))
async def list_pictures(
    dataset_id: DatasetId,
    platform: ThePlatform,
    _user: DatasetViewer,
    split: Annotated[str | None, Query(max_length=20)] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
    problem: Annotated[Code | Literal["any"] | None, Query()] = None,
    search: Annotated[str | None, Query(max_length=LONGEST_SEARCH)] = None,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 60,
) -> Response:
    """Known once it was checked: 409 before."""
    asked = {"split": split, "label": label, "problem": problem, "search": search}
    filters: dict[str, str] = {name: value for name, value in asked.items() if value}
    known, browser = dataset_id.replace("\0", "\ufffd"), platform.browser
    return await browser.reading.run(_listed, browser, known, filters, offset, limit)


def _listed(browser: Pictures, dataset_id: str, filters: dict[str, str], offset: int, limit: int) -> Response:
    """Everything that takes time, also writing the JSON: a picture may have thousands of boxes."""
    dataset, total, rows = browser.listed(dataset_id, filters, offset, limit)
    items = [DatasetPicture.of(dataset.id, dataset.sha256[:8], row) for row in rows]
    return Response(DatasetPictures(total=total, items=items).model_dump_json(), media_type="application/json")


@router.get(
    "/pictures/{index}/thumbnail",
    response_class=Response,
    responses=responses(503) | {200: {"content": {"image/jpeg": {}}}},
)
async def thumbnail(
    dataset_id: DatasetId, index: Index, platform: ThePlatform, _user: DatasetViewer, v: Annotated[str, Query()] = ""
) -> Response:
    """A JPEG of at most 256 pixels a side; 422 where the picture can't be read. `v` makes its address its content's."""
    known, browser = dataset_id.replace("\0", "\ufffd"), platform.browser
    data = await browser.reading.run(browser.kept_thumbnail, known, index)
    if data is None:
        data = await browser.drawing.run(browser.thumbnail, known, index)
    return Response(data, media_type="image/jpeg", headers=KEPT_BY_BROWSERS)


@router.get(
    "/pictures/{index}/file",
    response_class=Response,
    responses=responses(503) | {200: {"content": {"image/*": {}}}},
)
async def picture_file(
    dataset_id: DatasetId, index: Index, platform: ThePlatform, _user: DatasetViewer, v: Annotated[str, Query()] = ""
) -> Response:
    """The picture as it is in the dataset."""
    browser = platform.browser
    kind, data = await browser.reading.run(browser.file, dataset_id.replace("\0", "\ufffd"), index)
    return Response(data, media_type=kind, headers=KEPT_BY_BROWSERS | HARMLESS)
