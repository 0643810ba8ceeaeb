"""Each metric provider against what it really says: a real Prometheus (Debian's), and for the others servers that
answer in the shape that their APIs are documented with.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.measure import measure, nothing
from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Answer, Ask, ProviderError, provider
from services.rollout_manager.analysis.providers.prometheus import signed_by_aws
from services.rollout_manager.analysis.providers.web_access import LARGEST, WebAccess
from shared.engines.client import Engines
from shared.security.sigv4 import Login, presigned, signed
from tests.parts.answering import answering
from tests.parts.separate import reserved_port

Obj = dict[str, Any]
UP = "max_over_time(up[1h])"


@dataclass
class Api:
    """Answers by path; remembers the requests with their bodies."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    requests: list[tuple[web.Request, bytes]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request, await request.read()))
        answer = self.answers[request.path]
        if isinstance(answer, web.Response):
            return answer
        return web.Response(text=answer if isinstance(answer, str) else json.dumps(answer))

    @property
    def last(self) -> web.Request:
        return self.requests[-1][0]

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1][1])


@pytest_asyncio.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    async with answering(made.handle) as made.url:
        yield made


async def no_job(_metric: Metric) -> Answer:
    raise ProviderError("there are no Jobs here")


@asynccontextmanager
async def asking(engines: Engines, secrets: Mapping[str, Mapping[str, str]] | None = None) -> AsyncIterator[Ask]:
    async def secret(name: str) -> Mapping[str, str]:
        if name not in (secrets or {}):
            raise ProviderError(f"there is no Secret {name}")
        return (secrets or {})[name]

    async with WebAccess(("127.0.0.1",)) as access:
        yield Ask(access, engines, secret, secret, no_job)


async def asked(
    engines: Engines, name: str, config: Any, secrets: Mapping[str, Mapping[str, str]] | None = None
) -> Answer:
    async with asking(engines, secrets) as ask:
        return await provider(name)(ask, Metric("m", name, config))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Scrapes itself every 100 ms, which a busy machine does not always do in time: `UP` is what was so once."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    port = reserved_port()
    scrape = {"job_name": "self", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
    config = {"global": {"scrape_interval": "100ms", "scrape_timeout": "100ms"}, "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    words = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", "--log.level=error")
    process = await asyncio.create_subprocess_exec(
        "prometheus", *words, f"--web.listen-address=127.0.0.1:{port}", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def until_up(engines: Engines, address: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await asked(engines, "prometheus", {"address": address, "query": f"{UP} == 1"})).value:
                    return
            except ProviderError:
                pass
            await asyncio.sleep(0.1)


async def test_a_real_prometheus_is_asked(engines: Engines, prometheus: str) -> None:
    await until_up(engines, prometheus)

    async def value(query: str, **more: Any) -> Any:
        return (await asked(engines, "prometheus", {"address": prometheus, "query": query, **more})).value

    assert await value(f"scalar({UP})") == 1.0
    assert await value(UP) == [1.0]
    assert await value("nothing_of_this_name") == []
    times = {"start": 'now() - duration("1m")', "end": "now()", "step": "10s"}
    assert set(await value("vector(2)", rangeQuery=times)) == {2.0}
    with pytest.raises(ProviderError, match="parse error"):
        await value("up ==")
    with pytest.raises(ProviderError, match="a string: ask for"):
        await value('"text"')


async def test_conditions_judge_a_real_prometheus(engines: Engines, prometheus: str) -> None:
    await until_up(engines, prometheus)

    async def judged(query: str, **conditions: Any) -> tuple[str, str]:
        async with asking(engines) as ask:
            metric = Metric("m", "prometheus", {"address": prometheus, "query": query}, **conditions)
            found = await measure(ask, engines, metric, [])
            return found.phase, found.message

    assert await judged(UP, success="result[0] >= 1") == ("Successful", "")
    assert await judged(UP, failure="result[0] >= 1") == ("Failed", "")
    assert await judged(UP, success="result[0] > 1", failure="result[0] > 2") == ("Inconclusive", "")
    assert await judged("vector(0) / 0", success="isNaN(result[0])") == ("Successful", "")
    phase, message = await judged("nothing_of_this_name", success="result[0] > 1")
    assert (phase, "no data returned" in message) == ("Error", True)
    for verdict in (Phase.SUCCESSFUL, Phase.INCONCLUSIVE, Phase.FAILED, Phase.ERROR):
        phase, message = await judged("nothing_of_this_name", success="result[0] > 1", no_data=verdict)
        assert (phase, "no data returned" in message) == (verdict, True)
    assert await judged(UP, success="result[0] > 1", no_data=Phase.SUCCESSFUL) == ("Failed", "")
    phase, message = await judged(UP, success="result[0]")
    assert (phase, "expected bool" in message) == ("Error", True)
    phase, message = await judged(UP, success="map(1..1000000000, # * 2)[0] == 2")
    assert (phase, message != "") == ("Error", True)


@pytest.mark.parametrize(
    ("answer", "path", "expected"),
    [
        ({"a": {"b": 3}}, "{$.a.b}", 3),
        ({"a": [1, 2]}, "{$.a[*]}", [1, 2]),
        ({"a": True}, "", {"a": True}),
        ("plain text", "{$.a}", "plain text"),
    ],
)
async def test_web_answers_are_looked_into(engines: Engines, api: Api, answer: Any, path: str, expected: Any) -> None:
    api.answers["/m"] = answer
    config = {"url": f"{api.url}/m", "jsonPath": path, "headers": [{"key": "X-A", "value": "b"}]}
    assert (await asked(engines, "web", config)).value == expected
    assert api.last.headers["X-A"] == "b"


async def test_web_posts_and_logs_in(engines: Engines, api: Api) -> None:
    api.answers = {"/m": {"ok": 1}, "/token": {"access_token": "t0ken"}}
    login = {
        "oauth2": {"tokenUrl": f"{api.url}/token", "clientId": "me", "clientSecret": "s3cret", "scopes": ["a", "b"]}
    }
    config = {"url": f"{api.url}/m", "method": "POST", "jsonBody": {"x": 1}, "authentication": login}
    await asked(engines, "web", config)
    assert (api.body, api.last.headers["Authorization"]) == ({"x": 1}, "Bearer t0ken")
    assert api.requests[0][1] == b"grant_type=client_credentials&client_id=me&client_secret=s3cret&scope=a+b"


def redirect(api: Api) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{api.url}/elsewhere"})


@pytest.mark.parametrize(
    ("config", "answer", "words"),
    [
        ({"url": "{url}/m"}, lambda _: web.Response(status=503, text="down"), "answered 503: down"),
        ({"url": "{url}/m"}, redirect, "answered 302"),
        ({"url": "{url}/m"}, lambda _: "x" * (LARGEST + 1), "larger than 4 MiB"),
        ({"url": "{url}/m", "jsonPath": "{"}, lambda _: {"a": 1}, "jsonPath"),
        ({"url": "ftp://127.0.0.1/"}, None, "must begin with http"),
        ({"url": "http://example.org/"}, None, "may not be asked"),
        ({"url": "http://169.254.169.254/latest"}, None, "may not be asked"),
        ({"url": "{url}/m", "method": "DELETE"}, None, "method must be"),
        ({"url": "{url}/m", "body": "x", "jsonBody": {}}, None, "either body or jsonBody"),
        ({"url": "http://127.0.0.1:1/"}, None, "can't be asked"),
        ({}, None, "missing: url"),
    ],
)
async def test_what_the_web_does_wrong_is_said(
    engines: Engines, api: Api, config: Obj, answer: Callable[[Api], Any] | None, words: str
) -> None:
    if answer is not None:
        api.answers["/m"] = answer(api)
    given = {
        name: value.replace("{url}", api.url) if isinstance(value, str) else value for name, value in config.items()
    }
    with pytest.raises(ProviderError, match=words):
        await asked(engines, "web", given)


async def test_a_configuration_of_the_wrong_shape_is_an_error_of_the_metric(engines: Engines) -> None:
    for name in ("web", "prometheus", "datadog", "graphite", "cloudWatch", "kayenta", "nothing"):
        async with asking(engines) as ask:
            found = await measure(ask, engines, Metric("m", name, "text"), [])
        assert found.phase == "Error", name
        assert found.message


async def test_prometheus_takes_headers_a_login_and_an_address_of_the_environment(
    engines: Engines, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS", f"{api.url}/prometheus/")
    api.answers["/prometheus/api/v1/query"] = {
        "status": "success",
        "data": {"resultType": "scalar", "result": [1, "2"]},
    }
    login = {"basicAuth": {"username": "me", "password": "s3cret"}}
    config = {"query": "up", "headers": [{"key": "X-Scope", "value": "shop"}], "authentication": login}
    found = await asked(engines, "prometheus", config)
    assert (found.value, found.metadata) == (2.0, {"ResolvedPrometheusQuery": "up"})
    assert (api.last.headers["X-Scope"], api.last.headers["Authorization"]) == ("shop", "Basic bWU6czNjcmV0")
    api.answers["/token"] = {"access_token": "t0ken"}
    oauth2 = {"tokenUrl": f"{api.url}/token", "clientId": "me", "clientSecret": "s3cret"}
    await asked(engines, "prometheus", {**config, "authentication": {"oauth2": oauth2}})
    assert api.last.headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(("name", "field"), [("web", "timeoutSeconds"), ("prometheus", "timeout")])
async def test_who_does_not_answer_in_time_is_not_waited_for(engines: Engines, name: str, field: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        with pytest.raises(ProviderError, match="no answer in time"):
            await asked(engines, name, {"url": url, "address": url, "query": "up", field: 0.05})
    finally:
        server.close()
        await server.wait_closed()


async def test_a_body_is_sent_as_it_is(engines: Engines, api: Api) -> None:
    api.answers["/m"] = {"ok": 1}
    await asked(engines, "web", {"url": f"{api.url}/m", "method": "PUT", "body": "a=b"})
    assert (api.last.method, api.requests[-1][1]) == ("PUT", b"a=b")


async def test_profiles_may_have_other_names_and_what_is_not_said_has_a_default(engines: Engines, api: Api) -> None:
    keys = {"api-key": "a", "app-key": "b", "address": api.url}
    api.answers["/api/v1/query"] = {"status": "ok", "series": []}
    found = await asked(engines, "datadog", {"query": "x", "secretRef": {"name": "other"}}, {"other": keys})
    assert (found.value, int(api.last.query["to"]) - int(api.last.query["from"])) == (None, 300)
    columns = [{"type": "number", "values": [1.0]}]
    api.answers["/api/v2/query/scalar"] = {"data": {"attributes": {"columns": columns}}}
    config = {"apiVersion": "v2", "query": "sum:a", "aggregator": "p95"}
    await asked(engines, "datadog", config, {"datadog": keys})
    attributes = api.body["data"]["attributes"]
    assert [one["aggregator"] for one in attributes["queries"]] == ["p95"]
    assert attributes["to"] - attributes["from"] == 300_000
    relic = {"personal-api-key": "k", "account-id": "12", "base-url-nerdgraph": f"{api.url}/graphql"}
    api.answers["/graphql"] = {"data": {"actor": {"account": {"nrql": {"results": [{"a": 1}, {"a": 2}]}}}}}
    rows = await asked(engines, "newRelic", {"query": "SELECT", "profile": "mine"}, {"mine": relic})
    assert (rows.value, rows.metadata) == ([{"a": 1}, {"a": 2}], {"ResolvedNewRelicQuery": "SELECT"})
    influx = {"mine": {"address": api.url, "authToken": "t", "org": "o"}}
    api.answers["/api/v2/query"] = ",result,table,_value\r\n,,0,1\r\n"
    assert (await asked(engines, "influxdb", {"query": "q", "profile": "mine"}, influx)).value == [1.0]
    api.answers["/graphql"] = {"data": {}}
    await asked(engines, "skywalking", {"address": api.url, "query": "q", "interval": "1h"})
    spans = api.body["variables"]["duration"]
    start, end = (datetime.strptime(f"{spans[one]} +0000", "%Y-%m-%d %H%M %z") for one in ("start", "end"))
    assert (end - start).total_seconds() == 3600


async def test_datadog_v1_gives_the_newest_point(engines: Engines, api: Api) -> None:
    keys = {"api-key": "a", "app-key": "b", "address": api.url}
    api.answers["/api/v1/query"] = {"status": "ok", "series": [{"pointlist": [[1, 0.1], [2, 0.2], [3, None]]}]}
    found = await asked(engines, "datadog", {"query": "avg:x", "interval": "10m"}, {"datadog": keys})
    assert (found.value, found.text) == (0.2, "0.2")
    assert (api.last.headers["DD-API-KEY"], api.last.headers["DD-APPLICATION-KEY"]) == ("a", "b")
    assert int(api.last.query["to"]) - int(api.last.query["from"]) == 600
    api.answers["/api/v1/query"] = {"status": "error", "error": "bad query"}
    with pytest.raises(ProviderError, match="bad query"):
        await asked(engines, "datadog", {"query": "x"}, {"datadog": keys})


async def test_datadog_v2_takes_a_formula(engines: Engines, api: Api) -> None:
    keys = {"api-key": "a", "app-key": "b", "address": api.url}
    columns = [{"type": "group", "values": [["x"]]}, {"type": "number", "values": [0.5]}]
    api.answers["/api/v2/query/scalar"] = {"data": {"attributes": {"columns": columns}}}
    config = {
        "apiVersion": "v2",
        "queries": {"a": "sum:a", "b": "sum:b"},
        "formula": "a / b",
        "secretRef": {"name": "own", "namespaced": True},
    }
    assert (await asked(engines, "datadog", config, {"own": keys})).value == 0.5
    attributes = api.body["data"]["attributes"]
    assert (attributes["formulas"], [one["name"] for one in attributes["queries"]]) == (
        [{"formula": "a / b"}],
        ["a", "b"],
    )
    with pytest.raises(ProviderError, match="several queries need a formula"):
        await asked(engines, "datadog", {**config, "formula": ""}, {"own": keys})


async def test_new_relic_gives_rows(engines: Engines, api: Api) -> None:
    profile = {"personal-api-key": "k", "account-id": "12", "base-url-nerdgraph": f"{api.url}/graphql"}

    def rows(*found: Obj) -> Obj:
        return {"data": {"actor": {"account": {"nrql": {"results": list(found)}}}}}

    api.answers["/graphql"] = rows({"rate": 0.9})
    assert (await asked(engines, "newRelic", {"query": "SELECT"}, {"newrelic": profile})).value == {"rate": 0.9}
    assert api.body["variables"] == {"accountId": 12, "query": "SELECT"}
    api.answers["/graphql"] = rows()
    assert (await asked(engines, "newRelic", {"query": "SELECT"}, {"newrelic": profile})).phase is Phase.FAILED
    api.answers["/graphql"] = {"errors": [{"message": "no such account"}]}
    with pytest.raises(ProviderError, match="no such account"):
        await asked(engines, "newRelic", {"query": "SELECT"}, {"newrelic": profile})


async def test_wavefront_gives_the_newest_of_each_series(engines: Engines, api: Api) -> None:
    tokens = {"wavefront-api-tokens": {api.url: "t"}}
    api.answers["/api/v2/chart/api"] = {"timeseries": [{"data": [[1, 1.5], [2, 2.5]]}]}
    assert (await asked(engines, "wavefront", {"address": api.url, "query": "ts(x)"}, tokens)).value == 2.5
    assert api.last.headers["Authorization"] == "Bearer t"
    api.answers["/api/v2/chart/api"] = {"timeseries": [{"data": [[1, 1]]}, {"data": [[1, 2]]}]}
    assert (await asked(engines, "wavefront", {"address": api.url, "query": "ts(x)"}, tokens)).value == [1.0, 2.0]


async def test_graphite_gives_the_points_of_a_series(engines: Engines, api: Api) -> None:
    api.answers["/render"] = [{"target": "x", "datapoints": [[1.5, 10], [None, 20], [2.5, 30]]}]
    assert (await asked(engines, "graphite", {"address": api.url, "query": "x"})).value == [1.5, 2.5]
    assert (api.last.query["target"], api.last.query["format"]) == ("x", "json")
    api.answers["/render"] = {"error": 1}
    with pytest.raises(ProviderError, match="no series"):
        await asked(engines, "graphite", {"address": api.url, "query": "x"})


async def test_influxdb_gives_values_of_annotated_csv(engines: Engines, api: Api) -> None:
    profile = {"influxdb": {"address": api.url, "authToken": "t", "org": "my org"}}
    table = (
        "#datatype,string,long,double\r\n#group,false,false,false\r\n,result,table,_value\r\n,,0,0.5\r\n,,0,0.75\r\n"
    )
    api.answers["/api/v2/query"] = f"{table}\r\n{table}"
    found = await asked(engines, "influxdb", {"query": "from(bucket)"}, profile)
    assert found.value == [0.5, 0.75, 0.5, 0.75]
    assert (api.last.query["org"], api.last.headers["Authorization"]) == ("my org", "Token t")


async def test_skywalking_gives_its_data(engines: Engines, api: Api) -> None:
    api.answers["/graphql"] = {"data": {"apdex": {"values": [{"value": 9}]}}}
    found = await asked(engines, "skywalking", {"address": api.url, "query": "query($duration: Duration!)"})
    assert found.value == {"apdex": {"values": [{"value": 9}]}}
    assert set(api.body["variables"]["duration"]) == {"start", "end", "step"}


@pytest.mark.parametrize(("score", "phase"), [(95, Phase.SUCCESSFUL), (80, Phase.INCONCLUSIVE), (10, Phase.FAILED)])
async def test_kayenta_scores_are_judged(engines: Engines, api: Api, score: int, phase: Phase) -> None:
    result = {"judgeResult": {"score": {"score": score}}}
    api.answers = {
        "/canaryConfig": [{"name": "other", "id": "0"}, {"name": "mine", "id": "7"}],
        "/canary/7": {"canaryExecutionId": "e"},
        "/canary/e": {"complete": True, "status": "succeeded", "result": result},
    }
    accounts = dict.fromkeys(
        ("application", "metricsAccountName", "configurationAccountName", "storageAccountName"), "x"
    )
    scopes = [{"name": "default", "controlScope": {"scope": "a"}, "experimentScope": {"scope": "b"}}]
    config = {
        "address": api.url,
        "canaryConfigName": "mine",
        "threshold": {"pass": 90, "marginal": 75},
        "scopes": scopes,
    }
    assert (await asked(engines, "kayenta", {**config, **accounts})).phase is phase
    assert json.loads(api.requests[1][1])["scopes"] == {
        "default": {name: scopes[0][name] for name in ("controlScope", "experimentScope")}
    }


async def test_cloudwatch_is_asked_with_a_signature(
    engines: Engines, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", f"{api.url}/")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    results = [{"Id": "rate", "Values": [0.1]}]
    api.answers["/"] = {"MetricDataResults": results}
    queries = [{"id": "rate", "expression": "errors / requests", "returnData": True}]
    assert (await asked(engines, "cloudWatch", {"metricDataQueries": queries})).value == results
    assert api.body["MetricDataQueries"] == [{"Id": "rate", "Expression": "errors / requests", "ReturnData": True}]
    authorization = api.last.headers["authorization"]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert "/eu-west-1/monitoring/aws4_request" in authorization
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ProviderError, match="has no AWS_SECRET_ACCESS_KEY"):
        await asked(engines, "cloudWatch", {"metricDataQueries": queries})
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ


def test_the_signature_is_the_one_that_aws_documents() -> None:
    login = Login("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    headers = signed("GET", "https://example.amazonaws.com/", {}, b"", login, "us-east-1", "service", at)
    assert headers["authorization"].endswith(
        "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_the_signature_in_a_url_is_the_one_that_aws_documents() -> None:
    login = Login("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    url, at = "https://examplebucket.s3.amazonaws.com/test.txt", datetime(2013, 5, 24, tzinfo=UTC)
    found = presigned(url, {}, login, "us-east-1", "s3", at, expires=86400, payload="UNSIGNED-PAYLOAD")
    assert found == (
        f"{url}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_only_amazons_prometheus_sees_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    managed = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/query"
    for region, scope in (("", "eu-west-1"), ("us-east-1", "us-east-1")):
        sent = signed_by_aws(managed, {"query": 'up{a="b c"}'}, {}, {"region": region or None})
        assert f"/{scope}/aps/aws4_request" in sent["authorization"]
        assert "host" not in sent
    for elsewhere in ("https://example.org/aps-workspaces", "http://127.0.0.1/"):
        assert signed_by_aws(elsewhere, {}, {}, {"region": "x"}) == {}
    assert signed_by_aws(managed, {}, {"a": "b"}, None) == {"a": "b"}
    with pytest.raises(ProviderError, match="roleArn"):
        signed_by_aws(managed, {}, {}, {"roleArn": "arn:aws:iam::1:role/x"})


@pytest.mark.parametrize(
    ("answer", "empty"),
    [
        (Answer([]), True),
        (Answer(None), True),
        (Answer([{"Values": []}], empty=True), True),
        (Answer(phase=Phase.FAILED, empty=True), True),
        (Answer(phase=Phase.SUCCESSFUL), False),
        (Answer(0.0), False),
        (Answer([float("nan")]), False),
        (Answer(""), False),
    ],
)
def test_what_counts_as_no_data(answer: Answer, empty: bool) -> None:
    assert nothing(answer) is empty
