"""The documents: every field is explained, what is committed is what the code says, and outsiders can read it."""

from collections.abc import Iterator
from typing import Any, get_args

import jsonschema_rs
import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from pydantic import BaseModel

from shared.bus.topics import GROUPS, SOURCES
from shared.catalogue import CATALOGUE, EventType, PersonalClass, asyncapi, event_id_fields, person_id_fields
from shared.catalogue.channels import CHANNELS, HEARD, SERVICES
from shared.catalogue.generate import broken_promises, differences, documents
from shared.catalogue.schemas import json_schema

each_type = pytest.mark.parametrize("entry", CATALOGUE.types, ids=lambda entry: entry.name)
each_service = pytest.mark.parametrize("service", SERVICES)


def fields(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in (part, *part.get("$defs", {}).values()):
        yield from each.get("properties", {}).items()


def choices(field: dict[str, Any]) -> list[dict[str, Any]]:
    return [field, *field.get("anyOf", ())]


@each_type
def test_every_field_says_what_it_means_and_what_it_says_about_a_person(entry: EventType) -> None:
    for name, field in fields(json_schema(entry)):
        assert len(field.get("description", "")) > 8, name
        assert field["x-class"] in get_args(PersonalClass), name


@each_type
def test_an_id_of_a_member_is_a_persons_and_no_other_id_is(entry: EventType) -> None:
    for name, field in fields(json_schema(entry)):
        assert (field.get("x-id-of") == "member") == (field["x-class"] == "person_id"), name
    assert (entry.subject == "member") == entry.subject_is_person


@each_type
def test_every_number_and_time_has_a_unit(entry: EventType) -> None:
    for name, field in fields(json_schema(entry)):
        measured = any(c.get("type") in ("integer", "number") or c.get("format") == "date-time" for c in choices(field))
        assert measured == ("unit" in field), name


@each_type
def test_what_could_single_a_person_out_travels_on_the_profile_topic_only(entry: EventType) -> None:
    classes = {field["x-class"] for _, field in fields(json_schema(entry))}
    if entry.topic != "kairan.member-profile":
        assert classes <= {"none"}


@each_type
def test_free_text_is_only_where_it_is_public_or_erasable(entry: EventType) -> None:
    free = {
        name
        for name, field in fields(json_schema(entry))
        for choice in choices(field)
        if choice.get("type") == "string" and not choice.keys() & {"pattern", "enum", "const", "format"}
    }
    assert free <= {"ja", "en"} or entry.topic == "kairan.member-profile"


@each_type
def test_the_models_are_frozen_and_say_what_happened(entry: EventType) -> None:
    assert issubclass(entry.model, BaseModel)
    assert entry.model.model_config["frozen"] is True
    assert entry.model.__doc__
    assert entry.summary_en.endswith(".")
    assert entry.summary_ja.endswith("。")


def test_ids_that_a_webhook_must_make_its_own_are_known() -> None:
    assert person_id_fields(CATALOGUE.by_name("member-profile")) == ("referrer_id",)
    assert person_id_fields(CATALOGUE.by_name("member-joined")) == ()
    assert event_id_fields(CATALOGUE.by_name("delivery-exhausted")) == ("event_id",)
    assert event_id_fields(CATALOGUE.by_name("endpoint-disabled")) == ("last_event_id",)
    people = {entry.name for entry in CATALOGUE.types if entry.subject_is_person}
    assert people == {"member-joined", "join-voided", "member-left", "member-erased", "member-profile"}


def test_the_committed_documents_are_what_the_code_says() -> None:
    assert broken_promises() == []
    assert differences() == "", "run `make generate` and look at the diff"


def test_there_is_a_schema_per_event_and_an_asyncapi_document_per_service() -> None:
    names = {path.name for path in documents()}
    assert {f"{entry.name}.v{entry.version}.json" for entry in CATALOGUE.types} <= names
    assert {f"{service}.yaml" for service in SERVICES} <= names


@each_type
def test_the_schemas_are_schemas(entry: EventType) -> None:
    jsonschema_rs.meta.validate(json_schema(entry))


@each_service
def test_faststream_reads_the_asyncapi_documents(service: str) -> None:
    document = yaml.safe_load(asyncapi(service))
    del document["servers"]  # FastStream wants a pathname there, which the specification leaves open and Kafka has not
    read = ApplicationSchema.model_validate(document)
    assert read.asyncapi == "3.0.0"
    sent = {name for name, operation in read.operations.items() if operation.action.value == "send"}
    assert sent == {f"send-{entry.name}.v{entry.version}" for entry in CATALOGUE.of_service(service)}
    heard = {name for name, operation in read.operations.items() if operation.action.value == "receive"}
    assert heard == {f"receive-{topic}" for topic in HEARD[service]}


@each_service
def test_every_reference_in_an_asyncapi_document_leads_somewhere(service: str) -> None:
    document = yaml.safe_load(asyncapi(service))
    for reference in _references(document):
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def test_the_documents_show_the_topics_that_are_created() -> None:
    assert {(channel.topic, channel.partitions, channel.compacted) for channel in CHANNELS} == {
        (topic.name, topic.partitions, topic.compacted) for topic in SOURCES
    }
    assert {channel.topic for channel in CHANNELS} == set(CATALOGUE.topics())


def test_the_documents_show_what_the_groups_hear() -> None:
    followed_without_a_group = {service: topics for service, topics in HEARD.items() if service not in GROUPS}
    assert GROUPS | followed_without_a_group == HEARD
    assert set(followed_without_a_group.values()) == {("kairan.clock",)}
