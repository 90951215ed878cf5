"""Hand-made Ed-Fi look-alikes: one rating as the API, an interchange and the import template write it."""

import json
from pathlib import Path

from recommender.catalogue.instruments import load_instruments
from recommender.exchange.ed_fi import read
from recommender.exchange.imported import Imported

TPDM = "uri://tpdm.ed-fi.org"
CSV_COLUMNS = [
    "EvaluationObjectiveTitle",
    "EducationOrganizationId",
    "EvaluationElementTitle",
    "EvaluationPeriodDescriptor",
    "EvaluationTitle",
    "PerformanceEvaluationTitle",
    "PerformanceEvaluationTypeDescriptor",
    "SchoolYear",
    "TermDescriptor",
    "SortOrder",
    "MinRating",
    "MaxRating",
    "PersonId",
    "AreaOfRefinement",
    "AreaOfReinforcement",
    "SourceSystemDescriptor",
    "EvaluationDate",
    "Rating",
    "RatingResultTitle",
    "ResultDatatypeTypeDescriptor",
]


def imported(path: Path, *more: Path, mapping: Path | None = None) -> Imported:
    return read([path, *more], load_instruments(), mapping)


def values(result: Imported) -> dict[tuple[str, str], float]:
    """(teacher, item) -> value."""
    rows = result.scores
    return dict(zip(zip(rows["teacher_id"], rows["item"], strict=True), rows["value"], strict=True))


def evaluation(title: str = "T-TESS", kind: str = "Walkthrough", **changes: object) -> dict[str, object]:
    return {
        "educationOrganizationId": 5,
        "evaluationPeriodDescriptor": f"{TPDM}/EvaluationPeriodDescriptor#MOY",
        "evaluationTitle": title,
        "performanceEvaluationTitle": f"{title} round",
        "performanceEvaluationTypeDescriptor": f"{TPDM}/PerformanceEvaluationTypeDescriptor#{kind}",
        "schoolYear": 2022,
        "termDescriptor": "uri://ed-fi.org/TermDescriptor#Fall Semester",
    } | changes


def result(rating: object, title: str = "Rating", datatype: str = "Integer") -> dict[str, object]:
    return {
        "rating": rating,
        "ratingResultTitle": title,
        "resultDatatypeTypeDescriptor": f"uri://ed-fi.org/ResultDatatypeTypeDescriptor#{datatype}",
    }


def rating(
    element: str = "2.5 - Monitor and Adjust",
    *results: dict[str, object],
    person: object = "P1",
    date: object = "2021-10-04T00:00:00",
    source: str = "State",
    of: dict[str, object] | None = None,
    **fields: object,
) -> dict[str, object]:
    """An evaluationElementRating as the API gives it."""
    of = of or evaluation()
    objective = {"evaluationObjectiveTitle": "2 - Instruction"}
    who = {
        "personId": person,
        "evaluationDate": date,
        "sourceSystemDescriptor": f"uri://ed-fi.org/SourceSystemDescriptor#{source}",
    }
    return {
        "evaluationElementReference": of | objective | {"evaluationElementTitle": element},
        "evaluationObjectiveRatingReference": of | objective | who,
        "results": list(results or (result(2),)),
    } | fields


def element(
    title: str = "2.5 - Monitor and Adjust", of: dict[str, object] | None = None, **fields: object
) -> dict[str, object]:
    """An evaluationElement as the API gives it."""
    reference = (of or evaluation()) | {"evaluationObjectiveTitle": "2 - Instruction"}
    return {"evaluationElementTitle": title, "evaluationObjectiveReference": reference} | fields


def level(name: str, *, low: float | None = None, high: float | None = None) -> dict[str, object]:
    ends = {"minRating": low, "maxRating": high}
    return {"evaluationRatingLevelDescriptor": f"{TPDM}/EvaluationRatingLevelDescriptor#{name}"} | {
        end: value for end, value in ends.items() if value is not None
    }


def write_json(path: Path, *objects: object) -> Path:
    path.write_text("\n".join(json.dumps(each, indent=1) for each in objects), encoding="utf-8")
    return path


def csv_row(**changes: str) -> str:
    cells = {
        "EvaluationObjectiveTitle": "2 - Instruction",
        "EducationOrganizationId": "5",
        "EvaluationElementTitle": "2.5 - Monitor and Adjust",
        "EvaluationPeriodDescriptor": f"{TPDM}/EvaluationPeriodDescriptor#MOY",
        "EvaluationTitle": "T-TESS",
        "PerformanceEvaluationTitle": "T-TESS round",
        "PerformanceEvaluationTypeDescriptor": f"{TPDM}/PerformanceEvaluationTypeDescriptor#Walkthrough",
        "SchoolYear": "2022",
        "TermDescriptor": "uri://ed-fi.org/TermDescriptor#Fall Semester",
        "PersonId": "P1",
        "SourceSystemDescriptor": "uri://ed-fi.org/SourceSystemDescriptor#State",
        "EvaluationDate": "2021-10-04 00:00:00.0000000",
        "Rating": "2",
        "RatingResultTitle": "Rating",
        "ResultDatatypeTypeDescriptor": "uri://ed-fi.org/ResultDatatypeTypeDescriptor#Integer",
    } | changes
    return ",".join('"{}"'.format(cells.get(column, "").replace('"', '""')) for column in CSV_COLUMNS)


def write_csv(path: Path, *rows: str, header: str = ",".join(CSV_COLUMNS)) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([header, *rows, ""]).encode())
    return path


def xml_evaluation(kind: str = "Formal Evaluation", title: str = "Formal Evaluation") -> str:
    return f"""<PerformanceEvaluationReference><PerformanceEvaluationIdentity>
<PerformanceEvaluationTitle>{title}</PerformanceEvaluationTitle>
<Term>uri://ed-fi.org/TermDescriptor#Fall Semester</Term>
<PerformanceEvaluationType>{TPDM}/PerformanceEvaluationTypeDescriptor#{kind}</PerformanceEvaluationType>
<SchoolYear>2021-2022</SchoolYear>
<EvaluationPeriod>{TPDM}/EvaluationPeriodDescriptor#MOY</EvaluationPeriod>
<EducationOrganizationReference><EducationOrganizationIdentity>
<EducationOrganizationId>5</EducationOrganizationId>
</EducationOrganizationIdentity></EducationOrganizationReference>
</PerformanceEvaluationIdentity></PerformanceEvaluationReference>"""


def xml_objective(objective: str, of: str, title: str) -> str:
    return f"""<EvaluationObjectiveReference><EvaluationObjectiveIdentity>
<EvaluationReference><EvaluationIdentity>{of}
<EvaluationTitle>{title}</EvaluationTitle></EvaluationIdentity></EvaluationReference>
<EvaluationObjectiveTitle>{objective}</EvaluationObjectiveTitle>
</EvaluationObjectiveIdentity></EvaluationObjectiveReference>"""


def xml_rating_key(person: str, of: str, title: str, date: str) -> str:
    return f"""<PerformanceEvaluationRatingReference><PerformanceEvaluationRatingIdentity>
<PersonReference><PersonIdentity><PersonId>{person}</PersonId>
<SourceSystem>uri://ed-fi.org/SourceSystemDescriptor#State</SourceSystem></PersonIdentity></PersonReference>{of}
</PerformanceEvaluationRatingIdentity></PerformanceEvaluationRatingReference>
<EvaluationReference><EvaluationIdentity>{of}<EvaluationTitle>{title}</EvaluationTitle>
</EvaluationIdentity></EvaluationReference><EvaluationDate>{date}</EvaluationDate>"""


def xml_rating(
    person: str,
    element: str,
    rating: object,
    *,
    title: str = "Formal Observation",
    kind: str = "Formal Evaluation",
    date: str = "2011-11-01T00:00:00",
    more: str = "",
) -> str:
    """An EvaluationElementRating; its first tag is the first line."""
    of = xml_evaluation(kind)
    objective = xml_objective(element, of, title)
    return f"""<EvaluationElementRating>
<EvaluationObjectiveRatingReference><EvaluationObjectiveRatingIdentity>
<EvaluationRatingReference><EvaluationRatingIdentity>{xml_rating_key(person, of, title, date)}
</EvaluationRatingIdentity></EvaluationRatingReference>{objective}
</EvaluationObjectiveRatingIdentity></EvaluationObjectiveRatingReference>
<EvaluationElementReference><EvaluationElementIdentity>{objective}
<EvaluationElementTitle>{element}</EvaluationElementTitle></EvaluationElementIdentity></EvaluationElementReference>
<ElementRatingResult><RatingResultTitle>Effective</RatingResultTitle><Rating>{rating}</Rating>
<ResultDatatypeType>uri://ed-fi.org/ResultDatatypeTypeDescriptor#Integer</ResultDatatypeType></ElementRatingResult>
<EvaluationElementRatingLevel>{TPDM}/EvaluationElementRatingLevelDescriptor#Effective</EvaluationElementRatingLevel>
{more}</EvaluationElementRating>"""


def xml_element(title: str, levels: str, *, of: str = "Formal Observation", bounds: str = "") -> str:
    return f"""<EvaluationElement>{xml_objective(title, xml_evaluation(), of)}
<EvaluationElementTitle>{title}</EvaluationElementTitle><SortOrder>1</SortOrder>{bounds}{levels}</EvaluationElement>"""


def xml_file(*records: str, namespace: str = ' xmlns="http://ed-fi.org/5.1.0"') -> str:
    body = "\n".join(records)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<InterchangePerformanceEvaluation{namespace}>
{body}
</InterchangePerformanceEvaluation>
"""


def write_xml(path: Path, *records: str, **options: str) -> Path:
    path.write_text(xml_file(*records, **options), encoding="utf-8")
    return path
