# Reads one line from standard input, does what it says with the Credential Manager, and writes one line; see wincred.rs.
$ErrorActionPreference = 'Stop'
Add-Type -TypeDefinition @'
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
public static class Credentials {
    [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
    struct Credential {
        public uint Flags;
        public uint Type;
        public string TargetName;
        public string Comment;
        public long LastWritten;
        public uint BlobSize;
        public IntPtr Blob;
        public uint Persist;
        public uint AttributeCount;
        public IntPtr Attributes;
        public string TargetAlias;
        public string UserName;
    }
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool CredReadW(string target, uint type, uint flags, out IntPtr credential);
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool CredWriteW(ref Credential credential, uint flags);
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool CredDeleteW(string target, uint type, uint flags);
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool CredEnumerateW(string filter, uint flags, out uint count, out IntPtr credentials);
    [DllImport("advapi32.dll")]
    static extern void CredFree(IntPtr buffer);
    const uint Generic = 1;
    const uint LocalMachine = 2;
    const int NotFound = 1168;
    static string Failed() {
        int error = Marshal.GetLastWin32Error();
        return error == NotFound ? "none" : "error " + error;
    }
    static string Text(string word) { return Encoding.UTF8.GetString(Convert.FromBase64String(word)); }
    public static string Do(string line) {
        string[] words = line.TrimEnd('\r', '\n').Split(' ');
        switch (words[0]) {
            case "read": return Read(Text(words[1]));
            case "write": return Write(Text(words[1]), Text(words[2]), Convert.FromBase64String(words[3]));
            case "erase": return CredDeleteW(Text(words[1]), Generic, 0) ? "ok" : Failed();
            case "list": return List(Text(words[1]));
            default: return "error 87";
        }
    }
    static string Read(string target) {
        IntPtr found;
        if (!CredReadW(target, Generic, 0, out found)) { return Failed(); }
        try {
            Credential seen = (Credential)Marshal.PtrToStructure(found, typeof(Credential));
            byte[] blob = new byte[seen.BlobSize];
            if (blob.Length > 0) { Marshal.Copy(seen.Blob, blob, 0, blob.Length); }
            return "ok " + Convert.ToBase64String(blob);
        } finally { CredFree(found); }
    }
    static string Write(string target, string label, byte[] blob) {
        IntPtr copy = Marshal.AllocHGlobal(Math.Max(blob.Length, 1));
        try {
            Marshal.Copy(blob, 0, copy, blob.Length);
            Credential made = new Credential {
                Type = Generic, TargetName = target, Comment = label, Persist = LocalMachine,
                BlobSize = (uint)blob.Length, Blob = copy, UserName = "aws-vault"
            };
            return CredWriteW(ref made, 0) ? "ok" : Failed();
        } finally {
            for (int at = 0; at < blob.Length; at++) { Marshal.WriteByte(copy, at, 0); }
            Marshal.FreeHGlobal(copy);
        }
    }
    static string List(string prefix) {
        uint count;
        IntPtr found;
        if (!CredEnumerateW(prefix + "*", 0, out count, out found)) { return Failed(); }
        try {
            StringBuilder answer = new StringBuilder("ok");
            for (int at = 0; at < count; at++) {
                IntPtr one = Marshal.ReadIntPtr(found, at * IntPtr.Size);
                Credential seen = (Credential)Marshal.PtrToStructure(one, typeof(Credential));
                if (seen.Type == Generic) {
                    answer.Append(' ').Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(seen.TargetName)));
                }
            }
            return answer.ToString();
        } finally { CredFree(found); }
    }
}
'@
[Console]::Out.WriteLine([Credentials]::Do([Console]::In.ReadLine()))
