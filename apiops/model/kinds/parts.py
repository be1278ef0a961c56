"""What the models of several kinds are made of: the base class, secrets, routes, variables.

A model describes a kind's `spec` as the Management API names its fields. The JSON Schema for
editors is generated from it; at run time it judges only meaning across fields, on documents
whose shape the schema has passed. Field descriptions are what `apiops explain` prints.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator


class Part(BaseModel):
    """A mapping in which a field left out means its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, defer_build=True)


class Merged(Part):
    """A mapping in which a field left out is unmanaged, and `null` clears it."""

    model_config = ConfigDict(json_schema_extra={"x-apiops-merges": True})


def about(text: str, default: Any = None, **limits: Any) -> Any:
    """A field with its description; `...` as default makes it required.

    An empty list as default is held as a tuple: a list would be copied for every value.
    """
    return Field(() if default == [] else default, description=text, **limits)


def form(pattern: str, words: str) -> Any:
    """A text must have a form; `words` say it to people, after the name of the field."""
    return Field(pattern=pattern, json_schema_extra={"patternErrorMessage": words})


SecretText = Annotated[str | dict[str, Any], WithJsonSchema({"x-apiops-secret": True})]
"""A field where plaintext is refused: `${NAME}`, a sops token or a reference to a secret file."""

PossibleSecret = Annotated[str | dict[str, Any], WithJsonSchema({"x-apiops-secret": "possible"})]
"""A field that may be a secret and may be plain."""

HttpMethod = Literal["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "ALL"]

BasePath = Annotated[str, form("^/|^[$][{]", "must begin with /")]
"""A path of the gateway."""

RoutePath = Annotated[BasePath, Field(min_length=2)]
"""A path under which a proxy listens."""

Email = Annotated[str, form("^[^@ ]+@[^@ ]+$", "must be an e-mail address")]

Port = Annotated[int, Field(ge=1, le=65535)]
HttpStatus = Annotated[int, Field(ge=100, le=599)]
Seconds = Annotated[int, Field(ge=0)]


class NamedValue(Part):
    """A name with its value."""

    name: str = about("Name.", ...)
    value: str = about("The value.", ...)


class ClientRoute(Part):
    """Which requests reach the proxy. All matchers that are given must match."""

    relativePathList: list[RoutePath] = about(
        "Paths under which the proxy listens; the first is the main one. A project's own path "
        "is put before it. At least two characters.",
        ...,
        min_length=1,
    )
    methodList: list[HttpMethod] = about("HTTP methods that match (empty: all).", [])
    hostList: list[str] = about("Host names that match (empty: all).", [])
    headerList: list[NamedValue] = about("Headers that must be there with this value.", [])
    bufferRequest: bool = about("Read the whole request before it is passed on.", True)
    bufferResponse: bool = about("Read the whole response before it is passed on.", True)


class Variable(Part):
    """A place in the message or its context."""

    name: str = about("Name.", ...)
    description: str | None = about("What it is for, in words.")
    type: Literal["HEADER", "PARAMETER", "BODY", "CONTEXT_VALUES", "CUSTOM"] = about(
        "Where the value is.", ...
    )
    headerName: str | None = about("Name of the header (HEADER).")
    paramType: Literal["QUERY", "PATH", "FORM"] | None = about("Kind of parameter (PARAMETER).")
    paramName: str | None = about("Name of the query parameter (QUERY).")
    paramPath: str | None = about("Path template with the parameter in braces (PATH).")
    formName: str | None = about("Name of the form field (FORM).")
    messageContentType: Literal["XML", "JSON", "ALL_BODY", "FORM"] | None = about(
        "Format of the body (BODY)."
    )
    xpathValue: str | None = about("XPath (XML body).")
    jsonPathValue: str | None = about("JSONPath (JSON body).")
    contextValue: str | None = about("Which value of the context (CONTEXT_VALUES).")
    zoneId: str | None = about("Time zone of dates, as in the IANA list.")
    initWithScript: bool = about("Compute the value by the script below.", False)
    scriptLanguage: Literal["GROOVY", "JAVASCRIPT"] | None = about("Language of the script.")
    scriptBody: str | None = about("The script, as text.")

    @model_validator(mode="after")
    def _companion(self) -> Self:
        """Vendor document, 2.3: the required companion follows from the type."""
        needed = {
            "HEADER": "headerName",
            "PARAMETER": "paramType",
            "BODY": "messageContentType",
            "CONTEXT_VALUES": "contextValue",
            "QUERY": "paramName",
            "PATH": "paramPath",
            "FORM": "formName",
        }
        for field, chosen in (("type", self.type), ("paramType", self.paramType)):
            companion = needed.get(chosen or "")
            if companion and getattr(self, companion) is None:
                raise ValueError(f"a variable whose {field} is {chosen} needs {companion}")
        return self


Operator = Literal[
    "LT",
    "LE",
    "GT",
    "GE",
    "EQ",
    "NE",
    "EQ_IGNORE_CASE",
    "NE_IGNORE_CASE",
    "STARTS_WITH",
    "NOT_STARTS_WITH",
    "STARTS_WITH_IGNORE_CASE",
    "NOT_STARTS_WITH_IGNORE_CASE",
    "ENDS_WITH",
    "NOT_ENDS_WITH",
    "ENDS_WITH_IGNORE_CASE",
    "NOT_ENDS_WITH_IGNORE_CASE",
    "CONTAINS",
    "NOT_CONTAINS",
    "CONTAINS_IGNORE_CASE",
    "NOT_CONTAINS_IGNORE_CASE",
    "IS_EXISTS",
    "IS_NOT_EXISTS",
    "IS_NOT_EMPTY",
    "IS_EMPTY",
    "EXISTS_AND_EMPTY",
    "IN",
    "NOT_IN",
    "IN_IGNORE_CASE",
    "NOT_IN_IGNORE_CASE",
]


class ConditionRule(Part):
    """A comparison, or other rules joined."""

    conditionCriteria: Literal["VALUE", "NOT", "AND", "OR"] = about(
        "VALUE compares; NOT, AND and OR join the rules below.", ...
    )
    conditionRuleList: list["ConditionRule"] = about("The rules that are joined.", [])
    firstVariable: Variable | None = about("What is compared.")
    variableDataType: Literal["STRING", "NUMERIC", "DATE", "NUMBER", "BOOLEAN"] | None = about(
        "As what it is compared."
    )
    dateFormat: str | None = about("Format of the date (DATE).")
    valueComparisonOperator: Operator | None = about("How it is compared.")
    secondValueSource: Literal["VALUE", "VARIABLE"] | None = about(
        "Whether it is compared with a text or a variable."
    )
    secondValue: str | None = about("The text to compare with.")
    secondVariable: Variable | None = about("The variable to compare with.")

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if self.conditionCriteria == "VALUE" and (
            self.firstVariable is None or self.valueComparisonOperator is None
        ):
            raise ValueError("a VALUE rule needs firstVariable and valueComparisonOperator")
        return self


class Condition(Part):
    """When something applies; without rules, always."""

    conditionRuleList: list[ConditionRule] = about("Rules, all of which must hold.", [])


class ErrorMessage(Part):
    """An error message of the gateway, and what is sent instead of it."""

    errorType: str = about("Which error, by the Manager's name for it.", ...)
    httpStatusCode: HttpStatus | None = about("HTTP status of the standard message.")
    errorCode: str | None = about("Code of the standard message.")
    originalMessage: str | None = about("Text of the standard message.")
    customizedHttpStatusCode: HttpStatus | None = about("HTTP status to send instead.")
    customizedErrorCode: str | None = about("Code to send instead.")
    customizedMessage: str | None = about("Text to send instead.")
    customized: bool | None = about("Whether the customised message is sent.")


class PiiRule(Part):
    """How one kind of personal data is hidden."""

    enabled: bool = about("Whether the rule is in use.", True)
    operation: Literal["MASK", "DELETE", "ENCRYPT", "HASH", "DETECT"] = about(
        "What happens to the data.", ...
    )
    patternType: Literal["ELEMENT_NAME", "REGEX", "BUILTIN"] = about(
        "How the data is found.", "ELEMENT_NAME"
    )
    elementName: str | None = about("Name of the element that holds the data.")
    regexPattern: str | None = about("Regular expression that finds the data.")
    builtInPiiType: Literal["TCKN", "IBAN_TR", "PHONE_TR", "EMAIL", "CREDIT_CARD"] | None = about(
        "Built-in pattern that finds the data."
    )
    maskMode: Literal["FIXED", "KEEP_FIRST", "KEEP_LAST", "MASK_FIRST"] = about(
        "Which part is masked.", "FIXED"
    )
    maskPattern: str = about("Text put in place of the data.", "***")
    maskVisibleCharCount: int = about("Characters that stay visible.", 4, ge=0)


class MutualTls(Part):
    """Client certificate and trust of a connection."""

    model_config = ConfigDict(extra="allow")

    enabled: bool | None = about("Use them.")
    keyStoreName: str | None = about("Keystore with the client's key, by name.")
    trustStoreName: str | None = about("Truststore, by name.")


Moment = Annotated[
    str,
    form(
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?Z)?$",
        "must be a day or a moment in UTC: 2026-01-31, 2026-01-31T12:00:00Z",
    ),
]
"""A day or a moment in UTC, ISO 8601."""
