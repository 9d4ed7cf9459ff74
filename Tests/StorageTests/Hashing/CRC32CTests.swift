import Storage
import TestSupport
import Testing

@Suite("CRC-32C and record files")
struct CRC32CTests {
    @Test("the checksums of RFC 3720 come out")
    func vectors() {
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.of([]) == 0)
    }

    @Test("a record has its length and two masked checksums, and no file is written over")
    func records() throws {
        let folder = TemporaryFolder()
        let records = try RecordAppender(creating: folder.file("a"))
        try records.append(Array("ab".utf8))
        let bytes = rawContents(folder.file("a"))
        let length: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0]
        func masked(_ data: [UInt8]) -> [UInt8] {
            let crc = CRC32C.of(data)
            let mask = (crc >> 15 | crc << 17) &+ 0xA282_EAD8
            return (0..<4).map { UInt8(mask >> ($0 * 8) & 0xFF) }
        }
        #expect(bytes == length + masked(length) + [0x61, 0x62] + masked([0x61, 0x62]))
        #expect(throws: FileError.self) { _ = try RecordAppender(creating: folder.file("a")) }
    }
}
