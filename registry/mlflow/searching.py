"""MLflow's searches: its own filters and orders over our models, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry import (
    SEARCH_MODEL_VERSION_MAX_RESULTS_THRESHOLD,
    SEARCH_REGISTERED_MODEL_MAX_RESULTS_THRESHOLD,
)
from mlflow.utils.search_utils import SearchModelUtils, SearchModelVersionUtils, SearchUtils

from registry.mlflow import checking
from registry.mlflow.reading import Known

try:  # MLflow from 2.21 on has prompts, which are kept as models and not shown among them
    from mlflow.prompt.registry_utils import add_prompt_filter_string
except ImportError:
    add_prompt_filter_string = None

T = TypeVar("T")

_NEWEST_FIRST = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]


def models(
    found: Sequence[Known], text: str | None, most: int | None, order: list[str] | None, token: str | None
) -> PagedList:
    """A page of the models that fit."""
    count = checking.most(most, SEARCH_REGISTERED_MODEL_MAX_RESULTS_THRESHOLD, whole=False)
    kept = SearchModelUtils.filter([one.model() for one in found], _without_prompts(text))
    return _page(SearchModelUtils.sort(kept, _once(order, SearchModelUtils)), count, token)


def versions(
    found: Sequence[Known], text: str | None, most: int | None, order: list[str] | None, token: str | None
) -> PagedList:
    """A page of the versions that fit."""
    count = checking.most(most, SEARCH_MODEL_VERSION_MAX_RESULTS_THRESHOLD)
    all_ = [one.entity(version) for one in found for version in one.versions]
    kept = SearchModelVersionUtils.filter(all_, _without_prompts(text))
    in_order = _once(order, SearchModelVersionUtils) or _NEWEST_FIRST
    return _page(SearchModelVersionUtils.sort(kept, in_order), count, token)


def one_name(text: str | None) -> str | None:
    """The one model that a filter is about, where it says so: the others need not be read."""
    clauses = SearchModelVersionUtils.parse_search_filter(text) if text else []
    said = [one["value"] for one in clauses if one["key"] == "name" and one["comparator"] == "="]
    return said[0] if said and isinstance(said[0], str) else None


def _once(order: list[str] | None, kind: Any) -> list[str]:
    """`order`, in which each field stands once; `timestamp` is MLflow's other word for a date of models."""
    clauses: dict[str, str] = {}
    for clause in order or ():
        said, ascending = kind._parse_order_by_string(clause)
        field = "last_updated_timestamp" if said.strip() == "timestamp" and kind is SearchModelUtils else said.strip()
        if field in clauses:
            raise MlflowException(f"`order_by` contains duplicate fields: {order}", INVALID_PARAMETER_VALUE)
        clauses[field] = f"{field} {'ASC' if ascending else 'DESC'}"
    return [*clauses.values()]


def _without_prompts(text: str | None) -> str | None:
    return text if add_prompt_filter_string is None else add_prompt_filter_string(text, is_prompt=False)


def _page(found: Sequence[T], most: int, token: str | None) -> PagedList:
    start = SearchUtils.parse_start_offset_from_page_token(token)
    end = start + most
    return PagedList(found[start:end], SearchUtils.create_page_token(end) if end < len(found) else None)
