import CYaml

/// The events of libyaml, one after the other.
///
/// Yams itself hashes the keys of a mapping as soon as it has read them, which for a key of aliases to
/// aliases takes for ever; so the events are read here, and counted before anything is done with them.
final class YAMLParser {
    /// One step through the text.
    enum Event {
        case alias(String)
        case scalar(String, isPlain: Bool, tag: String?, anchor: String?)
        case sequenceStart(tag: String?, anchor: String?)
        case sequenceEnd
        case mappingStart(tag: String?, anchor: String?)
        case mappingEnd
        case documentEnd
        case streamEnd
        /// The beginning of the stream or of a document.
        case start
    }

    private var parser = yaml_parser_t()
    private let file: String

    /// Prepares to read a text.
    ///
    /// The text must stay where it is as long as the parser is used.
    init(_ text: UnsafeBufferPointer<UInt8>, file: String) throws(YAMLError) {
        self.file = file
        guard yaml_parser_initialize(&parser) == 1 else {
            throw .invalid(file: file, line: 1, problem: "there is no memory to read the text")
        }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
    }

    deinit { yaml_parser_delete(&parser) }

    /// The next event and the line on which it begins, from 1.
    func next() throws(YAMLError) -> (event: Event, line: Int) {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else { throw failure }
        defer { yaml_event_delete(&event) }
        let line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_ALIAS_EVENT: return (.alias(text(event.data.alias.anchor) ?? ""), line)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return (
                .scalar(
                    String(decoding: bytes, as: UTF8.self),
                    isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: text(scalar.tag),
                    anchor: text(scalar.anchor)), line
            )
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return (.sequenceStart(tag: text(start.tag), anchor: text(start.anchor)), line)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, line)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return (.mappingStart(tag: text(start.tag), anchor: text(start.anchor)), line)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, line)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, line)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return (.streamEnd, line)
        default: return (.start, line)
        }
    }

    private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: UnsafePointer($0)) }
    }

    private var failure: YAMLError {
        let problem = parser.problem.map { String(cString: $0) } ?? "text is not YAML"
        return .invalid(file: file, line: Int(parser.problem_mark.line) + 1, problem: problem)
    }
}
