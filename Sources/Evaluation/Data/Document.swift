import Jinja
import Storage

/// One record of a data set.
struct Document: Sendable {
    /// The file and line, as messages begin.
    let place: String
    /// The record, with what the task's preparation adds.
    let object: JSONObject
    /// The same for templates.
    let values: ValueDictionary

    init(_ record: JSONRecord) { self.init(place: record.place, object: record.object) }

    init(place: String, object: JSONObject) {
        (self.place, self.object) = (place, object)
        values = object.templateValues
    }

    /// The fields, with errors that name place and field.
    var fields: JSONFields { JSONFields(object, place: place) }
}
