import Storage

/// The schema of Alpaca records that is published with the data, built into the program.
enum AlpacaSchema {
    /// Reads `data/alpaca-schema.json` as it was at build time.
    static func load() throws -> JSONSchema {
        let name = "alpaca-schema.json"
        let value = try JSONValue(parsing: PackageResources.alpaca_schema_json, file: name)
        return try JSONSchema(value, name: name)
    }
}
