//! The query protocols' answers: JSON values as XML elements.

use quick_xml::Writer;
use quick_xml::events::{BytesText, Event};
use serde_json::Value;

use super::message::Reply;
use super::service::{Protocol, Service};
use crate::error::ApiError;

/// Writing to memory cannot fail.
type Xml = Writer<Vec<u8>>;

/// The document of a successful answer.
pub(super) fn response(service: &Service, reply: &Reply, request_id: &str) -> String {
    let operation = reply.operation;
    document(service, &format!("{operation}Response"), |xml| match service.protocol {
        Protocol::Ec2 => {
            text(xml, "requestId", request_id)?;
            members(xml, &reply.output, "item")
        }
        _ => {
            element(xml, &format!("{operation}Result"), &reply.output, "member")?;
            xml.create_element("ResponseMetadata").write_inner_content(|xml| text(xml, "RequestId", request_id))?;
            Ok(())
        }
    })
}

/// The document of an error.
pub(super) fn error(service: &Service, error: &ApiError, request_id: &str) -> String {
    // The query protocol's name for what JSON services call UnknownOperationException.
    let code = if error.code == "UnknownOperationException" { "InvalidAction" } else { &error.code };
    if matches!(service.protocol, Protocol::Ec2) {
        return document(service, "Response", |xml| {
            xml.create_element("Errors").write_inner_content(|xml| {
                xml.create_element("Error").write_inner_content(|xml| {
                    text(xml, "Code", code)?;
                    text(xml, "Message", &error.message)
                })?;
                Ok(())
            })?;
            text(xml, "RequestID", request_id)
        });
    }
    document(service, "ErrorResponse", |xml| {
        xml.create_element("Error").write_inner_content(|xml| {
            text(xml, "Type", if error.status < 500 { "Sender" } else { "Receiver" })?;
            text(xml, "Code", code)?;
            text(xml, "Message", &error.message)
        })?;
        text(xml, "RequestId", request_id)
    })
}

/// The document of an error as S3's clients read it.
pub(super) fn of_s3(error: &ApiError) -> String {
    let mut xml = Writer::new(Vec::new());
    let written = xml.create_element("Error").write_inner_content(|xml| {
        text(xml, "Code", &error.code)?;
        text(xml, "Message", &error.message)
    });
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
    String::from_utf8_lossy(&xml.into_inner()).into_owned()
}

fn document(service: &Service, root: &str, content: impl FnOnce(&mut Xml) -> std::io::Result<()>) -> String {
    let mut xml = Writer::new(Vec::new());
    let written =
        xml.create_element(root).with_attribute(("xmlns", service.namespace)).write_inner_content(content).map(|_| ());
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
    String::from_utf8_lossy(&xml.into_inner()).into_owned()
}

fn text(xml: &mut Xml, name: &str, value: &str) -> std::io::Result<()> {
    xml.create_element(name).write_text_content(escaped(value)).map(|_| ())
}

/// Characters that no XML document may hold are marked.
fn escaped(text: &str) -> BytesText<'static> {
    let is_of_xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().map(|c| if is_of_xml(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
    BytesText::new(&text).into_owned()
}

fn element(xml: &mut Xml, name: &str, value: &Value, item: &str) -> std::io::Result<()> {
    if value.is_null() {
        return Ok(());
    }
    xml.create_element(name).write_inner_content(|xml| members(xml, value, item)).map(|_| ())
}

/// The content of an element: a structure's members, a list's items, or text.
fn members(xml: &mut Xml, value: &Value, item: &str) -> std::io::Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| element(xml, name, value, item)),
        Value::Array(items) => items.iter().try_for_each(|value| element(xml, item, value, item)),
        Value::String(text) => xml.write_event(Event::Text(escaped(text))),
        Value::Bool(_) | Value::Number(_) => xml.write_event(Event::Text(BytesText::new(&value.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_become_elements_and_text_is_escaped() {
        let mut xml = Writer::new(Vec::new());
        element(&mut xml, "R", &json!({"A": ["x<y", {"B": true}], "N": null, "E": [], "C": "a\0b\rc"}), "member")
            .unwrap();
        let text = String::from_utf8(xml.into_inner()).unwrap();
        assert_eq!(
            text,
            "<R><A><member>x&lt;y</member><member><B>true</B></member></A><C>a\u{fffd}b&#13;c</C><E></E></R>"
        );
    }
}
