//! A request, and which operation of which service it calls.

use std::collections::BTreeMap;

use serde_json::Value;

/// How a service puts its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    Rest,
    Query,
    Ec2,
}

/// One call of the deployer.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// As in the credential scope of the signature.
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) protocol: Protocol,
    /// The members of the input: of the JSON body, of the form, or of the path and the query.
    pub(crate) input: BTreeMap<String, String>,
}

/// Called by method and path less its id, like Lambda.
const FIS: &[(&str, &str, &str)] = &[
    ("GET", "experimentTemplates", "ListExperimentTemplates"),
    ("GET", "experimentTemplates/", "GetExperimentTemplate"),
    ("POST", "experiments", "StartExperiment"),
    ("GET", "experiments", "ListExperiments"),
    ("GET", "experiments/", "GetExperiment"),
    ("DELETE", "experiments/", "StopExperiment"),
    ("GET", "experiments//resolvedTargets", "ListExperimentResolvedTargets"),
    ("GET", "actions/", "GetAction"),
];

impl Call {
    /// `service:operation`.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether the input has this member, or one within it.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.input.keys().any(|key| key.split('.').next() == Some(member))
    }

    pub(super) fn of(request: &http::Request<Vec<u8>>) -> Self {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
        // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...
        let service = header("authorization").split('/').nth(3).unwrap_or_default().to_owned();
        if let Some((_, operation)) = header("x-amz-target").split_once('.') {
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let input = body.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect();
            return Self { service, operation: operation.to_owned(), protocol: Protocol::Json, input };
        }
        match service.as_str() {
            "fis" => return Self::of_fis(request, service),
            "lambda" => return Self::of_lambda(request, service),
            _ => {}
        }
        let input: BTreeMap<_, _> = form_urlencoded::parse(request.body()).into_owned().collect();
        let protocol = if service == "ec2" { Protocol::Ec2 } else { Protocol::Query };
        let operation = input.get("Action").unwrap_or_else(|| panic!("a call of {service} without an action")).clone();
        Self { service, operation, protocol, input }
    }

    /// `/2015-03-31/functions/NAME/policy`
    fn of_lambda(request: &http::Request<Vec<u8>>, service: String) -> Self {
        let path = request.uri().path().trim_matches('/');
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let (operation, name) = match (request.method().as_str(), parts.as_slice()) {
            ("GET", ["functions"]) => ("ListFunctions", None),
            ("GET", ["functions", name, "configuration"]) => ("GetFunctionConfiguration", Some(*name)),
            ("GET", ["functions", name, "policy"]) => ("GetPolicy", Some(*name)),
            (method, _) => panic!("{method} /{path} is no operation of Lambda known here"),
        };
        let input = name.map(|name| ("FunctionName".to_owned(), name.to_owned())).into_iter().collect();
        Self { service, operation: operation.to_owned(), protocol: Protocol::Rest, input }
    }

    fn of_fis(request: &http::Request<Vec<u8>>, service: String) -> Self {
        let (method, path) = (request.method().as_str(), request.uri().path().trim_matches('/'));
        let id = path.split('/').nth(1).unwrap_or_default();
        let route = if id.is_empty() { path.to_owned() } else { path.replacen(id, "", 1) };
        let known = FIS.iter().find(|(known, pattern, _)| (*known, *pattern) == (method, route.as_str()));
        let (_, _, operation) = known.unwrap_or_else(|| panic!("{method} /{path} is no operation of FIS known here"));
        let mut input = BTreeMap::from([("id".to_owned(), id.to_owned())]);
        let body: Option<Value> = serde_json::from_slice(request.body()).ok();
        for (key, value) in body.iter().filter_map(Value::as_object).flatten() {
            input.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let query = request.uri().query().unwrap_or_default();
        input.extend(form_urlencoded::parse(query.as_bytes()).into_owned());
        Self { service, operation: (*operation).to_owned(), protocol: Protocol::Rest, input }
    }
}
