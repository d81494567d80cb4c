import Files
import Foundation
import TestSupport
import Testing

@Suite struct `Files that are whole or not there` {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

    private func write(_ text: String, to url: URL) throws {
        try OutputFile.check(url)
        try OutputFile.write(Data(text.utf8), to: url)
    }

    @Test func `a new file has the usual permissions, a replaced one keeps its own`() throws {
        let file = folder.file("a.txt")
        try write("one", to: file)
        let mask = umask(0)
        umask(mask)
        #expect(try mode(file) == 0o666 & ~Int(mask))
        chmod(file.path, 0o640)
        try write("two", to: file)
        #expect(try text(file) == "two")
        #expect(try mode(file) == 0o640)
        #expect(try folder.contents() == ["a.txt"])
    }

    private func mode(_ url: URL) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    @Test func `until it is committed there is nothing or the old file`() throws {
        let file = folder.file("a.txt")
        for old in [nil, "old"] {
            if let old { try write(old, to: file) }
            do {
                let pending = try PendingFile(for: file)
                try pending.write(Array("new".utf8))
                #expect((try? text(file)) == old)
            }
            #expect(try folder.contents() == (old == nil ? [] : ["a.txt"]))
        }
    }

    @Test func `a link is followed, also one that leads nowhere yet`() throws {
        let manager = FileManager.default
        try manager.createDirectory(at: folder.file("disk"), withIntermediateDirectories: false)
        let (link, chain) = (folder.file("link"), folder.file("chain"))
        try manager.createSymbolicLink(atPath: link.path, withDestinationPath: "disk/data")
        try manager.createSymbolicLink(atPath: chain.path, withDestinationPath: link.path)
        for content in ["first", "second"] {
            try write(content, to: chain)
            #expect(try text(folder.file("disk/data")) == content)
            #expect(try manager.destinationOfSymbolicLink(atPath: link.path) == "disk/data")
        }
        #expect(try folder.contents() == ["chain", "disk", "link"])
        #expect(try manager.contentsOfDirectory(atPath: folder.file("disk").path) == ["data"])
    }

    @Test func `where the program chose the name, a link is replaced and not followed`() throws {
        let (link, victim) = (folder.file("link"), folder.file("victim"))
        try write("mine", to: victim)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: victim)
        try OutputFile.write(Data("new".utf8), to: link, followsLinks: false)
        #expect(try text(victim) == "mine")
        #expect(try text(link) == "new")
    }

    @Test func `a link to itself, a folder and a socket are refused`() throws {
        let loop = folder.file("loop")
        try FileManager.default.createSymbolicLink(at: loop, withDestinationURL: loop)
        let socket = folder.file("s")
        let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        for (url, words) in [
            (loop, "leads to itself"), (folder.url, "a folder"), (socket, "a socket"),
        ] {
            #expect {
                try OutputFile.check(url)
            } throws: {
                ($0 as? FileError)?.code == .unusable && "\($0)".contains(words)
            }
            #expect(throws: FileError.self) { try PendingFile(for: url) }
        }
    }

    @Test func `a pipe gets the whole content at the end`() throws {
        let pipe = folder.file("pipe")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        let reader = InBackground { try FileHandle(forReadingFrom: pipe).readToEnd() }
        try write("through", to: pipe)
        #expect(try reader.value() == Data("through".utf8))
        #expect(try folder.contents() == ["pipe"])
    }

    @Test func `a device is written into and stays one`() throws {
        let device = folder.file("null")
        // The numbers of /dev/null.
        guard mknod(device.path, S_IFCHR | 0o666, 1 << 8 | 3) == 0 else {
            print("no device can be made here: not tested")
            return
        }
        try write("gone", to: device)
        var status = stat()
        #expect(stat(device.path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        let disk = folder.file("disk")
        guard mknod(disk.path, S_IFBLK | 0o666, 7 << 8 | 250) == 0 else { return }
        #expect(throws: FileError.self) { try OutputFile.check(disk) }
    }

    @Test func `an open file of the process is written where it is, as a shell means it`() throws {
        let file = folder.file("a.txt")
        try write("before ", to: file)
        let descriptor = open(file.path, O_WRONLY | O_APPEND)
        defer { close(descriptor) }
        try write("after", to: URL(fileURLWithPath: "/dev/fd/\(descriptor)"))
        #expect(try text(file) == "before after")
    }

    @Test func `missing folders are made by writing and not by the check`() throws {
        let file = folder.file("a/b/c.txt")
        try OutputFile.check(file)
        #expect(try folder.contents() == [])
        try write("deep", to: file)
        #expect(try text(file) == "deep")
        #expect {
            try OutputFile.check(file.appendingPathComponent("d/e.txt"))
        } throws: {
            "\($0)".contains("c.txt")
        }
    }

    @Test func `a folder in which nothing can be written is refused before the work`() throws {
        // Not even root makes files there.
        #expect {
            try OutputFile.check(URL(fileURLWithPath: "/proc/none/x.hdf5"))
        } throws: {
            ($0 as? FileError)?.code == .unwritable
        }
        #expect(throws: FileError.self) {
            try OutputFile.check(folder: URL(fileURLWithPath: "/proc/none"))
        }
        #expect(throws: FileError.self) {
            try PendingFolder.check(URL(fileURLWithPath: "/proc/none"))
        }
    }

    @Test func `what a killed program left is removed, what a living one makes is not`() throws {
        let file = folder.file("a.txt")
        try Data("half".utf8).write(to: folder.file(".a.txt.0123ABCD.part"))
        try Data("half".utf8).write(to: folder.file(".b.txt.0123ABCD.part"))
        try FileManager.default.createDirectory(
            at: folder.file(".a.txt.01234567.part/data"), withIntermediateDirectories: true)
        let living = try PendingFile(for: file)
        try write("whole", to: file)
        #expect(
            try folder.contents()
                == [".b.txt.0123ABCD.part", living.partial.lastPathComponent, "a.txt"].sorted())
        try living.write(Array("later".utf8))
        try living.commit()
        #expect(try text(file) == "later")
    }

    @Test func `names up to the longest can be written`() throws {
        let file = folder.file(String(repeating: "ä", count: 127))
        try write("long", to: file)
        #expect(try text(file) == "long")
    }

    @Test func `a folder appears whole, and replaces an empty one alone`() throws {
        let target = folder.file("made/set")
        do {
            let pending = try PendingFolder(for: target)
            try OutputFile.write(Data("x".utf8), to: pending.partial.appendingPathComponent("in/x"))
            #expect(try folder.contents() == ["made"])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("made").path) == [])
        for _ in 0..<2 {
            let pending = try PendingFolder(for: target)
            try OutputFile.write(Data("x".utf8), to: pending.partial.appendingPathComponent("in/x"))
            try pending.commit()
            #expect(try text(target.appendingPathComponent("in/x")) == "x")
            #expect(throws: FileError.self) { try PendingFolder.check(target) }
            try FileManager.default.removeItem(at: target)
            try FileManager.default.createDirectory(
                at: target, withIntermediateDirectories: false)
        }
    }

    @Test func `a disk that fills leaves the old file and nothing else`() throws {
        guard let disk = SmallDisk(kilobytes: 64) else {
            print("no disk can be mounted here: not tested")
            return
        }
        let file = disk.url.appendingPathComponent("a.bin")
        try OutputFile.write(Data(count: 20_000), to: file)
        #expect {
            try OutputFile.write(Data(count: 200_000), to: file)
        } throws: {
            "\($0)".contains("No space left")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.url.path) == ["a.bin"])
        #expect(try Data(contentsOf: file).count == 20_000)
    }
}

@Suite struct `Locks on folders` {
    @Test func `a second holder is refused by name until the first has gone`() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        var first: FolderLock? = try FolderLock(run)
        #expect {
            try FolderLock(run, patience: .milliseconds(50))
        } throws: {
            ($0 as? FileError)?.code == .busy && "\($0)".contains("process \(getpid()) ")
        }
        _ = first
        first = nil
        _ = try FolderLock(run, patience: .zero)
    }

    @Test func `a lock that is released soon is waited for`() throws {
        let folder = try TemporaryFolder()
        let first = InBackground {
            let lock = try FolderLock(folder.url)
            usleep(200_000)
            withExtendedLifetime(lock) {}
        }
        usleep(50_000)
        _ = try FolderLock(folder.url, patience: .seconds(60))
        try first.value()
    }
}
