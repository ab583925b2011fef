from drf_spectacular.generators import SchemaGenerator

from devices.identity import COOKIE


def test_the_schema_names_the_ways_to_say_who_one_is() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)

    schemes = schema["components"]["securitySchemes"]
    assert schemes["deviceToken"]["scheme"] == "bearer"
    assert (schemes["deviceCookie"]["in"], schemes["deviceCookie"]["name"]) == ("cookie", COOKIE)
    assert schemes["staffSession"]["name"] == "sessionid"
    assert {"deviceToken": []} in schema["paths"]["/api/devices/me"]["get"]["security"]
    assert {"deviceCookie": []} in schema["paths"]["/api/devices/me"]["get"]["security"]


def test_enrolment_is_open_and_answers_201() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)

    enroll = schema["paths"]["/api/devices/enroll"]["post"]
    assert not enroll.get("security")
    assert set(enroll["responses"]) == {"201", "400", "408", "409", "411", "413", "415", "429", "503"}
    assert set(schema["components"]["schemas"]["Enrolled"]["required"]) == {"id", "name", "scopes"}
