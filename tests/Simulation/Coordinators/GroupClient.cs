using System.Globalization;
using Google.Protobuf;
using Hexcast.Contracts.Etcd;
using Hexcast.Coordination.Embedded;
using Hexcast.Coordination.Embedded.Log;

namespace Hexcast.Simulation.Coordinators;

/// <summary>Asks one thing at a time, of whichever member, and has the oracle look at each answer.</summary>
internal sealed class GroupClient(Group group, int number)
{
    private const string Prefix = "/k/";

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(2_500);

    private readonly Dice _dice = group.World.Dice;
    private int _asked;
    private int _values;
    private string? _lastKey;
    private long _lastSeen;

    /// <summary>Answers since this was last set to 0.</summary>
    public int Answers { get; set; }

    public bool IsDone { get; set; }

    public static ByteString Text(string text) => ByteString.CopyFromUtf8(text);

    public void Think() => group.World.After(_dice.Between(1, 40), Ask);

    private void Ask()
    {
        if (IsDone)
        {
            return;
        }
        var asked = ++_asked;
        group.World.After(Patience, () => Over(asked));
        switch (_dice.Below(20))
        {
            case < 6:
                Do(asked, new Command { Put = NewPut(Key()) });
                break;
            case < 9:
                Do(asked, new Command { Txn = NewSwap() });
                break;
            case < 10:
                Do(asked, new Command
                {
                    DeleteRange = new DeleteRangeRequest
                    {
                        Key = Text(Key()), RangeEnd = _dice.Roll(0.2) ? Text(Prefix + "3") : ByteString.Empty,
                    },
                });
                break;
            case < 11 when _lastSeen > 10:
                Do(asked, new Command
                {
                    Compact = new CompactionRequest { Revision = _lastSeen - _dice.Below(10) },
                });
                break;
            case < 13:
                Read(asked, new RangeRequest { Key = Text(Prefix), RangeEnd = Text("/k0"), Serializable = true });
                break;
            case < 15:
                Read(asked, new TxnRequest
                {
                    Compare = { Guard() },
                    Success = { All() },
                    Failure = { new RequestOp { RequestRange = new RangeRequest { Key = Text(Key()) } } },
                });
                break;
            default:
                Read(asked, new RangeRequest
                {
                    Key = Text(_dice.Roll(0.5) ? Prefix : Key()), RangeEnd = Text("/k0"),
                });
                break;
        }
    }

    private string Key() => Prefix + _dice.Below(group.Sky.Keys).ToString(CultureInfo.InvariantCulture);

    private PutRequest NewPut(string key) => new() { Key = Text(key), Value = Text($"c{number}-{++_values}") };

    private Compare Guard() => new()
    {
        Key = Text(_lastKey ?? Key()), Target = Compare.Types.CompareTarget.Mod, ModRevision = _lastSeen,
    };

    private static RequestOp All() =>
        new() { RequestRange = new RangeRequest { Key = Text(Prefix), RangeEnd = Text("/k0") } };

    /// <summary>If what was seen last still holds: two keys at once, and what they are then.</summary>
    private TxnRequest NewSwap() => new()
    {
        Compare = { Guard() },
        Success =
        {
            new RequestOp { RequestPut = NewPut(_lastKey ?? Key()) },
            new RequestOp { RequestPut = NewPut(Prefix + "pair") },
            All(),
        },
        Failure = { All() },
    };

    private void Do(int asked, Command command) => group.Propose(group.Any(), command, response =>
    {
        if (response is PutResponse put)
        {
            (_lastKey, _lastSeen) = (command.Put.Key.ToStringUtf8(), put.Header.Revision);
        }
        Answered(asked, response);
    });

    private void Read(int asked, IMessage request) => group.Read(group.Any(), request, response =>
    {
        if (response is RangeResponse { Kvs: { Count: > 0 } found })
        {
            var seen = _dice.Pick(found);
            (_lastKey, _lastSeen) = (seen.Key.ToStringUtf8(), seen.ModRevision);
        }
        Answered(asked, response);
    });

    private void Answered(int asked, IMessage? response)
    {
        Answers += response is null ? 0 : 1;
        Over(asked);
    }

    private void Over(int asked)
    {
        if (asked == _asked)
        {
            _asked++;
            Think();
        }
    }
}
